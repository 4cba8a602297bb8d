"""A half message that a dead server left in a handset is never completed by the next push."""

from mmsc.clock import VirtualClock
from mmsc.gateways.sms.references import References


def test_each_message_to_a_number_has_its_own_however_fast_they_come() -> None:
    references = References(VirtualClock())
    assert len({references.next("+1555") & 0xFF for _ in range(256)}) == 256


def test_after_a_restart_they_go_on_by_time() -> None:
    clock = VirtualClock()
    before = References(clock).next("+1555")
    for _ in range(200):  # each a third of a second after the last: a minute in all
        clock.advance(0.3)
        assert References(clock).next("+1555") & 0xFF != before & 0xFF


def test_they_fit_into_two_octets_and_memory_is_bounded() -> None:
    references = References(VirtualClock())
    for number in range(10_100):
        assert 0 <= references.next(f"+{number}") <= 0xFFFF
    assert len(references._last) == 10_000
