"""All rings together: no interface pushes another one out, and limits can change while captures come in."""

from pathlib import Path

import msgspec
import pytest

from mmsc.domain.instant import SECOND
from mmsc.trace.bus import WatcherCut
from mmsc.trace.captures import BodyReference, CaptureRecord
from mmsc.trace.ring import RingLimits
from mmsc.trace.rings import NEVER, CaptureLimits, Captures
from tests.trace.test_ring import record

SMALL = RingLimits(maximum_octets=96 * 1024, maximum_records=6000)


def of(interface: str, octets: bytes = b"octets", **fields: int) -> CaptureRecord:
    return msgspec.structs.replace(record(octets, **fields), interface=interface)


def test_a_flood_on_one_interface_leaves_the_others_alone(tmp_path: Path) -> None:
    captures = Captures(tmp_path, CaptureLimits(total=SMALL))
    captures.keep(of("mm1", b"the one that counts", mm_id=7))
    for number in range(2000):
        captures.keep(of("smpp", b"enquire_link", exchange=number + 10))
    assert [one.octets for one in captures.of_mm(7)] == [b"the one that counts"]
    full = {state.interface: state for state in captures.state()}["smpp"]
    assert full.records < 2000
    assert full.octets <= full.maximum_octets
    captures.close()


def test_shares_are_weights(tmp_path: Path) -> None:
    captures = Captures(tmp_path, CaptureLimits(total=SMALL, shares={"mm1": 5}))
    most = {state.interface: state.maximum_octets for state in captures.state()}
    assert most["mm1"] // 5 == most["mm7"]
    assert sum(most.values()) <= SMALL.maximum_octets
    captures.take_over(CaptureLimits(total=SMALL))
    assert {state.maximum_octets for state in captures.state()} == {SMALL.maximum_octets // 6}
    captures.close()


def test_all_interfaces_are_one_story(tmp_path: Path) -> None:
    captures = Captures(tmp_path)
    for number, interface in enumerate(("mm7", "smpp", "mm1", "mm7")):
        captures.keep(of(interface, bytes((number,)), exchange=number, mm_id=7, at=1000 + number))
    assert [one.octets[0] for one in captures.of_mm(7)] == [0, 1, 2, 3]
    assert [one.octets[0] for one in captures.latest(3)] == [1, 2, 3]
    assert [one.octets[0] for one in captures.backwards(until=1002)] == [1, 0]
    assert [one.octets[0] for one in captures.backwards(interfaces=["mm7"])] == [3, 0]
    assert captures.of_mm(8) == []
    captures.close()
    again = Captures(tmp_path)
    assert [one.octets[0] for one in again.of_mm(7)] == [0, 1, 2, 3]
    again.close()


def test_an_interface_is_switched_off(tmp_path: Path) -> None:
    captures = Captures(tmp_path, CaptureLimits(off=frozenset({"mm3"})))
    captures.keep(of("mm3"))
    captures.keep(of("mm4"))
    assert captures.records == 1
    assert [state.interface for state in captures.state() if not state.is_on] == ["mm3"]
    captures.close()


def test_an_interface_is_switched_by_hand_until_the_settings_say_otherwise(tmp_path: Path) -> None:
    captures = Captures(tmp_path)
    captures.keep(of("mm4"))
    assert captures.switch("mm4", on=False)
    captures.keep(of("mm4"))
    captures.keep(of("mm7"))
    assert captures.records == 2, "what was kept stays, nothing comes to it"
    assert captures.switch("mm4", on=True)
    captures.keep(of("mm4"))
    assert captures.records == 3
    assert not captures.switch("mm9", on=True)
    captures.take_over(CaptureLimits(off=frozenset({"mm7"})))
    assert [state.interface for state in captures.state() if not state.is_on] == ["mm7"]
    captures.close()


@pytest.mark.parametrize(
    ("longest", "kept", "note"),
    [(0, b"0123456789", ""), (10, b"0123456789", ""), (4, b"0123", "6 octets more were not kept")],
)
def test_a_long_capture_is_cut_and_says_so(tmp_path: Path, longest: int, kept: bytes, note: str) -> None:
    captures = Captures(tmp_path, CaptureLimits(longest={"mm4": longest}))
    captures.keep(msgspec.structs.replace(of("mm4"), pieces=(b"012", b"3456789")))
    (found,) = captures.latest(1)
    assert (found.octets, found.note) == (kept, note)
    captures.close()


def test_a_cut_before_the_stored_body_names_it_no_more(tmp_path: Path) -> None:
    captures = Captures(tmp_path, CaptureLimits(longest={"mm4": 4}))
    for at in (3, 8):
        captures.keep(msgspec.structs.replace(of("mm4", b"0123456789"), reference=BodyReference(1, 0, 5, at)))
    assert [one.reference is None for one in captures.latest(2)] == [False, True]
    captures.close()


async def test_who_watches_sees_what_is_kept_and_who_is_slow_is_cut(tmp_path: Path) -> None:
    captures = Captures(tmp_path)
    captures.keep(of("mm1", b"before"))
    with captures.watch(capacity=1) as watcher:
        captures.keep(of("mm1", b"one"))
        captures.keep(of("mm1", b"two"))
        assert (await anext(watcher)).octets == b"one"
        with pytest.raises(WatcherCut):
            await anext(watcher)
    captures.close()


def test_a_ring_knows_since_when_it_has_everything(tmp_path: Path) -> None:
    captures = Captures(tmp_path, CaptureLimits(total=SMALL, off=frozenset({"mm3"})))
    assert set(captures.kept_since().values()) == {NEVER}
    captures.keep(of("mm1", at=1000))
    captures.flush()
    assert captures.kept_since()["smpp"] == 1000  # nothing came there since then
    assert captures.kept_since()["mm3"] == NEVER
    for number in range(2000):
        captures.keep(of("smpp", b"enquire_link", exchange=number + 10, at=2000 + number))
    captures.flush()
    since = captures.kept_since()
    assert since["mm1"] == 1000
    assert since["smpp"] > 2000 + SECOND  # what is older went, and with it some requests of later answers
    captures.close()


@pytest.mark.parametrize("by_settings", [False, True])
def test_a_gap_is_known_after_an_interface_is_turned_on_again(tmp_path: Path, by_settings: bool) -> None:
    def turn(*, on: bool) -> None:
        if by_settings:
            captures.take_over(CaptureLimits(off=frozenset() if on else frozenset({"mm4"})))
        else:
            captures.switch("mm4", on=on)

    captures = Captures(tmp_path)
    for interface in ("mm4", "mm7"):
        captures.keep(of(interface, at=1000))
    captures.flush()
    turn(on=True)
    assert set(captures.kept_since().values()) == {1000}, "it was on"
    turn(on=False)
    captures.keep(of("mm4", at=2000))
    turn(on=True)
    assert captures.kept_since()["mm4"] == NEVER, "nothing since then"
    captures.keep(of("mm7", at=3000))
    for at in (4000, 5000):
        captures.keep(of("mm4", at=at))
    since = captures.kept_since()
    assert since["mm4"] == 4000 + 60 * SECOND  # answers whose requests are in the gap came later
    assert since["mm7"] == 1000
    captures.close()


async def test_captures_of_messages_are_taken_away_for_good(tmp_path: Path) -> None:
    captures = Captures(tmp_path)
    captures.keep(of("mm7", b"request", exchange=1, at=1000))
    captures.keep(of("mm7", b"answer", exchange=1, mm_id=7, at=1001))
    captures.keep(of("mm7", b"another's", exchange=2, mm_id=8, at=1002))
    captures.keep(of("smpp", b"push", exchange=3, mm_id=7, at=1003))
    captures.keep(of("smpp", b"bind", exchange=4, at=1004))
    assert await captures.take_away(frozenset({7, 99})) == 3
    for one in (captures, Captures(tmp_path)):
        assert one.of_mm(7) == []
        assert one.of_exchange(1) == []
        assert [found.octets for found in one.latest(9)] == [b"another's", b"bind"]
        assert one.records == 2
    captures.keep(of("mm7", b"later", exchange=5, mm_id=9, at=1005))
    assert [found.octets for found in captures.latest(1)] == [b"later"]
    captures.close()
