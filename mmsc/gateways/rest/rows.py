"""The operations of REST, by topic."""

from typing import Final

from mmsc.gateways.rest import (
    findings,
    handsets,
    identities,
    lab,
    lanes,
    messages,
    rates,
    resets,
    scenarios,
    sending,
    setup,
    subscribers,
    waits,
)
from mmsc.gateways.rest.endpoint import Endpoint

ROWS: Final[tuple[Endpoint, ...]] = (
    *waits.ENDPOINTS,  # before the messages: /messages/wait is none
    *messages.ENDPOINTS,
    *findings.ENDPOINTS,
    *resets.ENDPOINTS,
    *handsets.ENDPOINTS,
    *identities.ENDPOINTS,
    *lab.ENDPOINTS,
    *lanes.ENDPOINTS,
    *rates.ENDPOINTS,
    *scenarios.ENDPOINTS,
    *sending.ENDPOINTS,
    *setup.ENDPOINTS,
    *subscribers.ENDPOINTS,
)
