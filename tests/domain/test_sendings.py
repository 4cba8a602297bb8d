"""Who had an MM before its sender, as it is kept (TS 23.140 8.1.4.3)."""

from mmsc.domain.instant import Instant
from mmsc.domain.sendings import MOST, SENT_BEFORE, Sending, kept, sent_before, sent_on
from tests.domain.test_rules import MM, T0

WAY = (Sending("+15550100001", T0), Sending("", Instant(T0 + 1)), Sending("a@b.example", None))


def test_what_is_kept_is_read_back() -> None:
    assert sent_before({SENT_BEFORE: kept(WAY)}) == WAY
    assert sent_before({}) == ()


def test_a_forward_adds_the_sender_and_his_date() -> None:
    mm = MM._replace(details={SENT_BEFORE: kept(WAY)})
    assert sent_on(mm) == (*WAY, Sending(MM.sender.value, MM.date))
    assert sent_on(MM._replace(sender_hidden=True)) == (Sending("", MM.date),)


def test_it_is_bounded() -> None:
    """Details stay in memory with their MM."""
    many = [Sending(f"+1555{number}", T0) for number in range(100)]
    assert sent_before({SENT_BEFORE: kept(many)}) == tuple(many[:MOST])
    assert sent_before({SENT_BEFORE: kept([Sending("x" * 1000, T0)])}) == (Sending("", T0),)
