"""Budgets of counts: what one lifecycle (submit, push, GET, notifyresp, report) may cost, on any machine.

A change that breaks one says why, and raises the number here.
"""

import pytest
from benching import octets
from benching.product import CONCURRENCY

from tests.budgets.conftest import Measure

pytestmark = pytest.mark.slow

UNDER_WAY = 1.01  # a message that was begun before the first count and ended after it, or the other way round
SIXTY_FOUR_UNDER_WAY = 1.03


async def test_one_lifecycle_stays_within_its_counts(measure: Measure) -> None:
    """Durable steps, statements, event rows, parsers, tasks and connections of one message at a time."""
    costs = await measure(in_flight=1, messages=300)
    assert costs.each("units") <= 5 * UNDER_WAY
    assert costs.each("statements") <= 16 * UNDER_WAY
    assert costs.each("event_rows") <= 10 * UNDER_WAY
    assert costs.each("xml_parses") <= UNDER_WAY  # the SubmitReq
    assert costs.each("tasks") <= 6 * UNDER_WAY
    assert costs.meters["new_connections"] == 0


async def test_load_costs_no_more_than_its_octets(measure: Measure) -> None:
    """At 64 in flight, where commits are shared as they are in service, the log grows by little more than the body."""
    costs = await measure(in_flight=64, messages=3000)
    assert costs.each("log_octets") <= 1.3 * octets.PICTURE_OCTETS + 16 * 1024
    assert costs.each("units") <= 5 * SIXTY_FOUR_UNDER_WAY
    assert costs.each("statements") <= 16 * SIXTY_FOUR_UNDER_WAY
    assert costs.each("tasks") <= 6 * SIXTY_FOUR_UNDER_WAY
    assert costs.meters["connections"] <= CONCURRENCY + 1  # the reports', all kept, and the SMSC's


async def test_the_body_is_copied_rarely(measure: Measure) -> None:
    """Copies of a body alive at once, the cached one included. A large one, so that nothing else weighs."""
    picture_octets = 900 * 1024
    costs = await measure(in_flight=1, messages=1, memory=True, picture_octets=picture_octets)
    assert costs.meters["memory_peak_octets"] <= 4.9 * picture_octets
