"""A half message that a dead server left in a handset is never completed by the next push, nor one of another node."""

from mmsc.clock import VirtualClock
from mmsc.gateways.sms.references import References
from mmsc.ids import Ids


def of_node(clock: VirtualClock, node: int = 0) -> References:
    ids = Ids()
    references = References(clock, ids)
    ids.join(node, above=0)  # a node hears its number after its couriers were made
    return references


def test_each_message_to_a_number_has_its_own_however_fast_they_come() -> None:
    references = of_node(VirtualClock())
    assert len({references.next("+1555") & 0xFF for _ in range(64)}) == 64


def test_after_a_restart_they_go_on_by_time() -> None:
    clock = VirtualClock()
    before = of_node(clock).next("+1555")
    for _ in range(54):  # each 0.6 s after the last: half a minute in all
        clock.advance(0.6)
        assert of_node(clock).next("+1555") & 0xFF != before & 0xFF


def test_nodes_that_push_to_a_number_at_once_never_use_the_same() -> None:
    clock = VirtualClock()
    nodes = [of_node(clock, node) for node in range(16)]
    for _ in range(100):
        assert len({node.next("+1555") & 0xFF for node in nodes}) == 16
        clock.advance(0.1)


def test_a_node_that_sends_a_lot_stays_out_of_the_way_of_its_neighbours() -> None:
    clock = VirtualClock()
    busy, others = of_node(clock, 1), [of_node(clock, node) for node in (0, 2, 3)]
    used = {busy.next("+1555") & 0xFF for _ in range(200)}
    assert not used & {other.next("+1555") & 0xFF for other in others for _ in range(64)}


def test_they_fit_into_two_octets_and_memory_is_bounded() -> None:
    references = of_node(VirtualClock(), 1023)
    for number in range(10_100):
        assert 0 <= references.next(f"+{number}") <= 0xFFFF
    assert len(references._last) == 10_000
