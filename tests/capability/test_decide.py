"""Capability: the operator's flag, then what MM1 requests showed, then the default."""

import pytest

from mmsc.capability.decide import Decider, learn
from mmsc.domain.address import Address
from mmsc.domain.instant import HOUR, Instant
from mmsc.domain.message import MmId
from mmsc.domain.neighbours import MmsFlag, Subscriber, Verdict
from mmsc.engine.ports import Evidence

MM = MmId(7)
BLANK = Subscriber(address=Address.of("+15550100"))
SEEN = Subscriber(address=BLANK.address, user_agent="Phone/1", mms_version=0x12, seen_at=Instant(5 * HOUR))


@pytest.mark.parametrize("default", list(Verdict))
def test_nothing_known_is_the_default(default: Verdict) -> None:
    found = Decider(default).decide(BLANK, MM)
    assert (found.verdict, found.mms_version) == (default, 0x12)


@pytest.mark.parametrize(("flag", "verdict"), [(MmsFlag.ON, Verdict.CAPABLE), (MmsFlag.OFF, Verdict.INCAPABLE)])
def test_the_operators_flag_is_the_strongest(flag: MmsFlag, verdict: Verdict) -> None:
    found = Decider().decide(Subscriber(address=BLANK.address, mms=flag, user_agent="Phone/1"), MM)
    assert found.verdict is verdict
    assert "flag" in found.evidence[0]
    assert "Phone/1" in found.evidence[1]


def test_a_request_makes_capable() -> None:
    learned = learn(BLANK, Evidence(user_agent="Phone/1", mms_version=0x13), Instant(HOUR))
    assert learned is not None
    found = Decider(Verdict.INCAPABLE).decide(learned, MM)
    assert (found.verdict, found.mms_version) == (Verdict.CAPABLE, 0x13)


def test_nothing_new_is_none_until_an_hour_passed() -> None:
    same = Evidence(user_agent="Phone/1")
    assert learn(SEEN, same, Instant(5 * HOUR + 1)) is None
    again = learn(SEEN, same, Instant(6 * HOUR))
    assert again is not None
    assert (again.seen_at, again.mms_version) == (6 * HOUR, 0x12)


def test_another_handset_is_news_at_once() -> None:
    learned = learn(SEEN, Evidence(user_agent="Phone/2"), Instant(5 * HOUR + 1))
    assert learned is not None
    assert learned.user_agent == "Phone/2"
