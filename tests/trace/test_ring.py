"""The ring of captures: what was kept comes back, a torn tail is no harm, and it never outgrows its bounds."""

import asyncio
import errno
import os
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest

from mmsc.domain.instant import SECOND
from mmsc.trace.blocks import readable
from mmsc.trace.captures import BodyReference, CaptureRecord, Direction, new_exchange
from mmsc.trace.ring import CaptureRing, RingLimits

LIMITS = RingLimits(maximum_octets=64 * 1024, maximum_age=60 * SECOND, maximum_records=1000)


def record(
    octets: bytes = b"octets", *, exchange: int = 1, mm_id: int | None = None, at: int = 1_000 * SECOND
) -> CaptureRecord:
    return CaptureRecord(
        interface="mm7",
        direction=Direction.IN,
        local="127.0.0.1:1",
        remote="127.0.0.1:2",
        at_real=at,
        at_service=at,
        exchange=exchange,
        mm_id=mm_id,
        pieces=(octets,),
    )


def test_a_request_is_found_by_the_mm_its_answer_names(tmp_path: Path) -> None:
    ring = CaptureRing(tmp_path, LIMITS)
    ring.keep(record(b"request", exchange=5))
    ring.keep(record(b"other", exchange=6, mm_id=8))
    ring.keep(record(b"answer", exchange=5, mm_id=7))
    assert [found.octets for found in ring.of_mm(7)] == [b"request", b"answer"]
    assert [found.octets for found in ring.of_exchange(6)] == [b"other"]
    assert [found.octets for found in ring.latest(2)] == [b"other", b"answer"]
    assert ring.of_mm(99) == []
    ring.close()


def test_a_restart_reads_the_index_back_and_goes_on_in_a_new_file(tmp_path: Path) -> None:
    first = CaptureRing(tmp_path, LIMITS)
    whole = record(bytes(range(256)), mm_id=7)
    first.keep(whole)
    first.close()
    second = CaptureRing(tmp_path, LIMITS)
    assert second.of_mm(7) == [whole]
    second.keep(record(b"more", mm_id=7))
    assert [found.octets for found in second.of_mm(7)] == [whole.octets, b"more"]
    assert len(list(tmp_path.glob("*.cap"))) == 2
    second.close()


def test_every_cut_of_the_last_file_keeps_the_records_before_it(tmp_path: Path) -> None:
    ring = CaptureRing(tmp_path / "whole", LIMITS)
    for number in range(3):
        ring.keep(record(b"%d" % number * 10, mm_id=7, exchange=number))
    ring.close()
    [file] = (tmp_path / "whole").glob("*.cap")
    octets = file.read_bytes()
    counts = []
    for length in range(len(octets) + 1):
        folder = tmp_path / f"cut-{length}"
        folder.mkdir()
        (folder / file.name).write_bytes(octets[:length])
        cut = CaptureRing(folder, LIMITS)
        counts.append(len(cut.of_mm(7)))
        cut.keep(record(b"next", mm_id=9, exchange=9))
        assert [found.octets for found in cut.of_mm(9)] == [b"next"]
        cut.close()
    assert counts == sorted(counts)
    assert counts[-1] == 3


def test_damaged_octets_are_left_out(tmp_path: Path) -> None:
    ring = CaptureRing(tmp_path, LIMITS)
    ring.keep(record(b"a" * 100, mm_id=7))
    ring.close()
    [file] = tmp_path.glob("*.cap")
    octets = bytearray(file.read_bytes())
    octets[-1] ^= 1
    file.write_bytes(octets)
    assert CaptureRing(tmp_path, LIMITS).of_mm(7) == []


def test_a_file_that_is_not_ours_is_no_harm(tmp_path: Path) -> None:
    (tmp_path / "notes.cap").write_bytes(b"these are not captures")
    (tmp_path / "000000000001.cap").write_bytes(b"")
    ring = CaptureRing(tmp_path, LIMITS)
    ring.keep(record(mm_id=7))
    assert len(ring.of_mm(7)) == 1
    ring.close()


def test_the_ring_keeps_within_its_octets_and_forgets_the_oldest(tmp_path: Path) -> None:
    ring = CaptureRing(tmp_path, LIMITS)
    for number in range(200):
        ring.keep(record(bytes(1000), exchange=number, mm_id=number))
    assert ring.octets <= LIMITS.maximum_octets
    assert sum(file.stat().st_size for file in tmp_path.glob("*.cap")) == ring.octets
    assert ring.of_mm(0) == []
    assert len(ring.of_mm(199)) == 1
    assert ring.lost == 0
    ring.close()


def test_the_ring_keeps_within_its_age_and_number(tmp_path: Path) -> None:
    ring = CaptureRing(tmp_path, RingLimits(maximum_records=32, maximum_age=10 * SECOND))
    for number in range(100):
        ring.keep(record(exchange=number, mm_id=number))
    assert ring.records <= 32
    ring.keep(record(exchange=500, at=2_000 * SECOND))
    ring.prune(2_000 * SECOND)
    assert [found.exchange for found in ring.latest(100)][-1] == 500
    assert ring.records <= 3
    ring.close()


def test_an_mm_that_spans_segments_loses_only_what_was_dropped(tmp_path: Path) -> None:
    ring = CaptureRing(tmp_path, LIMITS)
    for number in range(100):
        ring.keep(record(bytes(1000), exchange=1, mm_id=7 if number % 2 else None, at=number))
    found = ring.of_mm(7)
    assert 0 < len(found) < 100
    assert [one.at_real for one in found] == list(range(100 - len(found), 100))
    ring.close()


def test_a_full_disk_is_counted_and_harms_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = CaptureRing(tmp_path, LIMITS)
    ring.keep(record(b"before", mm_id=7))
    real = os.writev

    def short(file: int, pieces: list[bytes]) -> int:
        return real(file, [b"".join(pieces)[:10]])

    def full(file: int, pieces: list[bytes]) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    for failing in (short, full):
        monkeypatch.setattr(os, "writev", failing)
        ring.keep(record(b"lost", mm_id=7))
    monkeypatch.undo()
    ring.keep(record(b"after", mm_id=7))
    assert ring.lost == 2
    assert [found.octets for found in ring.of_mm(7)] == [b"before", b"after"]
    ring.close()
    assert [found.octets for found in CaptureRing(tmp_path, LIMITS).of_mm(7)] == [b"before", b"after"]


def test_a_stored_body_is_named_and_put_back() -> None:
    answer = CaptureRecord(
        interface="mm1",
        direction=Direction.OUT,
        local="",
        remote="",
        at_real=0,
        at_service=0,
        exchange=1,
        reference=BodyReference(content_id=3, start=2, length=4, at=4),
        pieces=(b"HEAD", b"TAIL"),
    )
    assert answer.whole(b"xxBODYxx") == b"HEADBODYTAIL"
    assert answer.whole(None) == b"HEADTAIL"


def test_exchanges_are_never_the_same() -> None:
    made = [new_exchange() for _ in range(100)]
    assert made == sorted(set(made))


def sizes_in(folder: Path) -> list[int]:
    return [path.stat().st_size for path in folder.glob("*.cap")]


async def test_what_one_turn_captured_is_written_at_its_end(tmp_path: Path) -> None:
    ring = CaptureRing(tmp_path, RingLimits())
    for number in range(600):  # more than one system call takes
        ring.keep(record(b"%d" % number, exchange=number, mm_id=7))
    written = asyncio.Event()
    asyncio.get_running_loop().call_soon(written.set)  # after the ring's own turn
    await written.wait()
    assert sum(sizes_in(tmp_path)) == ring.octets
    assert [one.octets for one in ring.of_mm(7)] == [b"%d" % number for number in range(600)]
    ring.close()


async def test_who_reads_need_not_wait_for_the_turn(tmp_path: Path) -> None:
    ring = CaptureRing(tmp_path, RingLimits())
    ring.keep(record(b"just now", mm_id=7))
    assert [one.octets for one in ring.latest(1)] == [b"just now"]
    ring.keep(record(b"and now", mm_id=7))
    ring.close()
    again = CaptureRing(tmp_path, RingLimits())
    assert [one.octets for one in again.of_mm(7)] == [b"just now", b"and now"]
    again.close()


async def test_one_turn_may_fill_several_files(tmp_path: Path) -> None:
    limits = RingLimits(maximum_octets=16 * 4096)
    ring = CaptureRing(tmp_path, limits)
    for number in range(12):
        ring.keep(record(bytes(1000), exchange=number, mm_id=number))
    assert [one.exchange for one in ring.latest(100)] == list(range(12))
    assert len(sizes_in(tmp_path)) > 1
    assert max(sizes_in(tmp_path)) <= limits.segment_octets
    ring.close()


def test_what_is_taken_away_stays_away_also_behind_a_torn_end(tmp_path: Path) -> None:
    first = CaptureRing(tmp_path, RingLimits())
    for number in range(4):
        first.keep(record(b"%d" % number, exchange=number, mm_id=number + 1))
    first.close()
    [file] = tmp_path.glob("*.cap")
    with file.open("ab") as torn:
        torn.write(b"cap\0 and no more")
    for left in (3, 2, 1):
        ring = CaptureRing(tmp_path, RingLimits())
        assert ring.records == left + 1
        [segment] = [one for one in ring.segments() if one.offsets]
        assert ring.take_away(segment, {left}) == 1
        assert [one.exchange for one in ring.latest(9)] == list(range(left))
        assert sum(sizes_in(tmp_path)) == ring.octets
        ring.close()
    assert [one.octets for one in CaptureRing(tmp_path, RingLimits()).latest(9)] == [b"0"]


async def test_blocks_are_read_in_any_order(tmp_path: Path) -> None:
    ring = CaptureRing(tmp_path, RingLimits())
    for block in range(40):  # more than are kept at hand
        for number in range(5):
            ring.keep(record(b"%d.%d" % (block, number) * 100, exchange=5 * block + number, mm_id=number + 1))
        ring.flush()
    assert [one.octets for one in ring.of_mm(3)] == [b"%d.2" % block * 100 for block in range(40)]
    assert [one.exchange for one in ring.backwards()] == list(reversed(range(200)))
    places = [segment.place(index) for segment in ring.segments() for index in range(0, 200, 7)]
    shuffled = sorted(places, key=lambda place: (place.number, place.offset))
    assert {one.exchange for one in readable(shuffled)} == set(range(0, 200, 7))
    assert [one.exchange for one in readable(shuffled)] != sorted(range(0, 200, 7))
    ring.close()


async def test_one_that_is_larger_than_a_file_has_one_to_itself(tmp_path: Path) -> None:
    limits = RingLimits(maximum_octets=16 * 4096)
    ring = CaptureRing(tmp_path, limits)
    for number, length in enumerate((10, 10, 9000, 10)):
        ring.keep(record(bytes(length), exchange=number))
    assert [len(one.octets) for one in ring.latest(9)] == [10, 10, 9000, 10]
    assert len(sizes_in(tmp_path)) == 3
    assert ring.lost == 0
    ring.close()


def test_a_note_that_is_no_text_harms_nobody(tmp_path: Path) -> None:
    ring = CaptureRing(tmp_path, RingLimits())
    odd = msgspec.structs.replace(record(b"odd", exchange=1), note="coding \udcff is not known")
    for one in (record(b"before", exchange=0), odd, record(b"after", exchange=2)):
        ring.keep(one)
    assert [one.octets for one in ring.latest(9)] == [b"before", b"odd", b"after"]
    assert [one.note for one in ring.latest(9)] == ["", "coding \\udcff is not known", ""]
    assert ring.lost == 0
    ring.close()


def test_what_was_taken_away_stays_away_whatever_is_damaged(tmp_path: Path) -> None:
    first = CaptureRing(tmp_path, RingLimits())
    offsets = []
    for number in range(3):
        first.keep(record(b"%d" % number * 50, exchange=number, mm_id=number + 1))
        offsets.append(first.segments()[0].end)
    [segment] = first.segments()
    first.take_away(segment, {0})
    first.close()
    [file] = tmp_path.glob("*.cap")
    whole = file.read_bytes()
    for at in range(offsets[0], len(whole) - 1):  # every octet behind the first block, but the last ones of `del`
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        again = CaptureRing(tmp_path, RingLimits())
        left = [one.exchange for one in again.latest(9)]
        again.close()
        if at < offsets[2]:
            assert 0 not in left, at
        assert set(left) <= {0, 1, 2}
        assert len(left) >= 1 or at < offsets[2]


def test_a_damaged_length_leads_past_nothing_that_was_taken_away(tmp_path: Path) -> None:
    first = CaptureRing(tmp_path, RingLimits())
    for number in range(3):
        first.keep(record(b"%d" % number * 50, exchange=number, mm_id=number + 1))
    [segment] = first.segments()
    place = segment.offsets[1]
    first.take_away(segment, {0})
    first.keep(record(b"del\0" * 500, exchange=3, mm_id=9))  # octets like the magic, and room for a wrong length
    first.close()
    [file] = tmp_path.glob("*.cap")
    whole = file.read_bytes()
    wrong = int.from_bytes(whole[place + 8 : place + 12], "little") + 700
    file.write_bytes(whole[: place + 8] + wrong.to_bytes(4, "little") + whole[place + 12 :])
    again = CaptureRing(tmp_path, RingLimits())
    assert 0 not in {one.exchange for one in again.latest(9)}
    again.close()


def test_a_damaged_block_shows_nothing_of_another(tmp_path: Path) -> None:
    ring = CaptureRing(tmp_path, RingLimits())

    async def together() -> None:
        for number in range(3):
            ring.keep(record(b"%d" % number * 4, exchange=number))
        ring.flush()

    asyncio.run(together())
    [file] = tmp_path.glob("*.cap")
    whole = file.read_bytes()
    for at in range(8, len(whole)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert [one.octets for one in ring.latest(9)] in ([], [b"0000", b"1111", b"2222"]), at
    ring.close()


def test_a_disk_that_stays_full_gets_no_file_for_each_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = CaptureRing(tmp_path, LIMITS)
    ring.keep(record(b"before", mm_id=7))

    def full(file: int, pieces: list[bytes]) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "writev", full)
    for _ in range(50):
        ring.keep(record(b"lost", mm_id=7))
    monkeypatch.undo()
    assert ring.lost == 50
    assert len(sizes_in(tmp_path)) == len(ring.segments()) == 1
    ring.keep(record(b"after", mm_id=7))
    assert [one.octets for one in ring.of_mm(7)] == [b"before", b"after"]
    ring.close()


def test_taking_away_on_a_full_disk_breaks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = CaptureRing(tmp_path, LIMITS)
    for number in range(3):
        ring.keep(record(b"%d" % number, exchange=number, mm_id=number + 1))

    real = Path.open

    def in_part(path: Path, mode: str) -> BinaryIO:
        with real(path, "ab") as file:
            file.write(b"del\0 in part")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", in_part)
        assert ring.take_away(ring.segments()[0], {0}) == 1
    ring.keep(record(b"after", exchange=9, mm_id=9))
    assert [one.octets for one in ring.latest(9)] == [b"1", b"2", b"after"]
    ring.close()
    assert [one.octets for one in CaptureRing(tmp_path, LIMITS).latest(9)][-3:] == [b"1", b"2", b"after"]


def test_a_file_that_cannot_be_removed_still_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = CaptureRing(tmp_path, LIMITS)

    def refused(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refused)
        for number in range(200):
            ring.keep(record(bytes(1000), exchange=number, mm_id=number))
        assert ring.octets > LIMITS.maximum_octets
        ring.clear()
        assert ring.latest(9) == []
    ring.keep(record(b"after", exchange=9, mm_id=9))
    assert ring.octets <= LIMITS.maximum_octets
    assert [one.octets for one in ring.latest(9)] == [b"after"]
    ring.close()
