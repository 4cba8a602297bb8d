"""Rows of a ladder: each kind by itself, and whole stories as they came off the wire."""

import os

import msgspec
import pytest
from lxml import etree

from mmsc.domain.instant import Instant
from mmsc.trace import events as trace
from mmsc.trace.captures import CaptureRecord, Direction
from mmsc.trace.events import Event
from mmsc.trace.ladder import About, Ladder, Row, RowKind, Told, Wishes, ladder, read, windowed
from mmsc.trace.ladder.svg import svg
from mmsc.trace.ladder.text import WIDTH, text
from protocols import smpp
from tests.cases import cases
from tests.trace.stories import FOLDER, stories, story

SECOND = 1_000_000
START = 1_790_000_000 * SECOND
EVIL = "<script>alert(1)</script>\x1b[31m\0"
ABOUT = About(node="lab-1")


def happened(
    data: trace.Data, at: float, number: int = 1, real: float | None = None, recipient: int | None = 7
) -> Event:
    service = Instant(START + round(at * SECOND))
    return Event(number, 1, recipient, None, service, service if real is None else START + round(real * SECOND), data)


def accepted(subject: str = "") -> Event:
    return happened(trace.MmAccepted("mm7", "news", "m1", "4488", 1, 100, subject), 0)


def post(at: float, exchange: int, name: str = "DeliveryReportReq", number: str = "t", **more: object) -> CaptureRecord:
    body = f"<E><Header><TransactionID>{number}</TransactionID></Header><Body><{name}/></Body></E>"
    octets = f"POST /r HTTP/1.1\r\nContent-Type: text/xml\r\n\r\n{body}".encode()
    return captured("mm7", Direction.OUT, octets, at, exchange, "news", **more)


def captured(
    interface: str, way: Direction, octets: bytes, at: float, exchange: int, neighbour: str = "", **more: object
) -> CaptureRecord:
    when = START + round(at * SECOND)
    record = CaptureRecord(interface, way, "", "192.0.2.1:9", when, when, exchange, neighbour, pieces=(octets,))
    return msgspec.structs.replace(record, **more)


def answer(at: float, exchange: int, status: int = 503) -> CaptureRecord:
    return captured("mm7", Direction.IN, f"HTTP/1.1 {status} Words\r\n\r\n".encode(), at, exchange, "news")


def push(at: float, exchange: int, to: str = "15550142") -> list[CaptureRecord]:
    request = smpp.SubmitSm(sequence_number=1, destination_addr=to, short_message=b"see http://a/")
    response = smpp.SubmitSmResp(sequence_number=1, message_id="1")
    return [
        captured("smpp", Direction.OUT, smpp.encode(request), at, exchange, "smsc-a"),
        captured("smpp", Direction.IN, smpp.encode(response), at + 0.004, exchange, "smsc-a"),
    ]


def made(events: list[Event], records: list[CaptureRecord], about: About = ABOUT, **wishes: object) -> Ladder:
    return ladder(events, read([(one, one.octets) for one in records]), about, Wishes(**wishes))  # type: ignore[arg-type]


def only(found: Ladder, kind: RowKind) -> list[Row]:
    return [row for row in found.rows if row.kind is kind]


def test_a_folded_answer_stands_beside_its_request() -> None:
    found = made([accepted()], [post(0.1, 1), answer(0.112, 1, 204)])
    [row] = only(found, RowKind.PDU)
    assert (row.number, row.failed, row.answer and row.answer.text, row.answer and row.answer.detail) == (
        "1",
        False,
        "HTTP 204",
        "12 ms",
    )
    [request, reply] = made([accepted()], [post(0.1, 1), answer(0.112, 1, 204)], unfolded=True).rows[1:3]
    assert (request.number, reply.number, reply.kind) == ("1", "1a", RowKind.ANSWER)
    assert (request.source, request.target) == (reply.target, reply.source)


def test_attempts_are_counted_and_failed_ones_say_why() -> None:
    again = trace.AttemptFailed("report_mm7", "vasp:news", 1, "no answer in time", START + 60 * SECOND)
    records = [post(1, 1), post(60, 2), answer(60.01, 2), post(120, 3), answer(120.01, 3, 200)]
    found = made([accepted(), happened(again, 31, 2)], records)
    rows = only(found, RowKind.PDU)
    assert [(row.attempt, row.attempts, row.failed) for row in rows] == [(1, 3, True), (2, 3, True), (3, 3, False)]
    assert rows[0].answer is not None
    assert (rows[0].answer.text, rows[0].answer.failed) == ("no answer in time", True)
    assert [row.text for row in only(found, RowKind.NOTE)][1:] == ["again in 29 s (attempt 2)"]


def test_why_it_is_tried_again_is_told_where_the_answer_looked_fine() -> None:
    """A fault counts the VASP's 200 as another one: its octets say nothing of that."""
    again = trace.AttemptFailed("report_mm7", "vasp:news", 1, "HTTP 503", START + 60 * SECOND)
    for status, told in ((200, "HTTP 503: again in 60 s (attempt 2)"), (503, "again in 60 s (attempt 2)")):
        found = made([accepted(), happened(again, 1.1, 2, 1.1)], [post(1, 1), answer(1.01, 1, status)])
        assert [row.text.replace("59", "60") for row in only(found, RowKind.NOTE)][1:] == [told]


def test_many_attempts_that_sent_nothing_are_told_in_one() -> None:
    gone = [trace.AttemptPostponed("notify", "smsc:a", "not bound", START + at * SECOND) for at in range(9)]
    found = made([accepted(), *(happened(one, at, at + 2, at) for at, one in enumerate(gone))], [])
    arrows = [row for row in found.rows if row.source >= 0]
    assert len(arrows) < len(gone)
    [fold] = only(found, RowKind.FOLD)
    assert fold.text.startswith("attempts 3 to 8, not bound, every ")
    assert "not sent" in text(found)
    assert [row.text for row in only(found, RowKind.NOTE)][1] == "waits for a: not bound"


def got(octets: bytes) -> Row:
    """The row of what a GET was answered, and of the GET where the answer is folded into it."""
    request = captured("mm1", Direction.IN, b"GET /m/1 HTTP/1.1\r\nHost: a\r\n\r\n", 1, 1, "+15550142")
    reply = captured("mm1", Direction.OUT, octets, 1.01, 1, "+15550142")
    return [row for row in made([accepted()], [request, reply]).rows if row.source >= 0][-1]


def test_content_that_was_cut_is_not_complete() -> None:
    pdu = next(one.octets for one in cases("mm1") if one.stem.startswith("05-"))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.wap.mms-message\r\nContent-Length: 154\r\n\r\n"
    whole, cut = got(head + pdu), got(head + pdu[:100])
    assert (whole.failed, whole.answer and whole.answer.detail) == (False, "complete")
    assert cut.answer is not None
    assert (cut.failed, cut.name, cut.answer.text) == (True, "m-retrieve-conf", "cut behind 100 of 154 octets")


def test_an_answer_that_is_no_pdu_failed() -> None:
    row = got(b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.wap.mms-message\r\n\r\n\xff\xfe\xfd")
    assert row.answer is not None
    assert (row.failed, row.answer.text) == (True, "HTTP 200")
    assert row.answer.detail.startswith("cannot be read")


def test_mm7_under_another_type_has_its_name_all_the_same() -> None:
    typed = post(1, 1).octets.replace(b"text/xml", b"text/plain")
    wrong = captured("mm7", Direction.OUT, typed, 1, 1, "news")
    found = made([accepted()], [wrong, answer(1.01, 1, 503), post(60, 2), answer(60.01, 2, 200)])
    rows = only(found, RowKind.PDU)
    assert [(row.name, row.beneath, row.attempt, row.attempts) for row in rows] == [
        ("DeliveryReportReq", "as text/plain", 1, 2),
        ("DeliveryReportReq", "cannot be read", 2, 2),
    ]


def test_a_request_that_nobody_answered_in_time_says_so() -> None:
    [request, _] = push(1, 1)
    late = captured("smpp", Direction.IN, b"", 11, 1, "smsc-a", note="no response in 10 s")
    [row] = only(made([accepted()], [request, late]), RowKind.PDU)
    assert (row.failed, row.answer and row.answer.text) == (True, "no response in 10 s")


def test_a_request_that_is_under_way_has_no_answer_yet() -> None:
    [row] = only(made([accepted()], [post(1, 1)]), RowKind.PDU)
    assert (row.failed, row.answer and row.answer.text) == (False, "no answer yet")


def test_an_attempt_that_sent_nothing_is_an_arrow_all_the_same() -> None:
    gone = trace.TaskGivenUp("report_mm7", "vasp:news", 4, "connect refused")
    found = made([accepted(), happened(gone, 9, 2)], [])
    [row] = only(found, RowKind.PDU)
    assert (row.name, row.beneath, row.failed) == ("DeliveryReportReq", "not sent", True)


def test_what_a_neighbour_repeats_is_told() -> None:
    first = msgspec.structs.replace(post(0, 1, "SubmitReq"), direction=Direction.IN)
    again = msgspec.structs.replace(post(5, 2, "SubmitReq"), direction=Direction.IN)
    rows = only(made([accepted()], [first, again]), RowKind.PDU)
    assert [(row.repeat_of, row.attempts) for row in rows] == [("", 0), ("1", 0)]


def test_gaps_are_long_beside_the_other_steps() -> None:
    records = [post(at, index, number=str(index)) for index, at in enumerate([0, 0.1, 0.2, 0.3, 30.3])]
    found = made([accepted()], records, folds=False)
    assert [row.text for row in only(found, RowKind.GAP)] == ["≈ 30.0 s"]
    slow = [post(at, index, number=str(index)) for index, at in enumerate([0, 30, 60, 90, 121])]
    assert only(made([], slow, folds=False), RowKind.GAP) == []


@pytest.mark.parametrize(
    ("real", "told"),
    [(0.5, "≈ +3 h 12 m, clock jumped"), (192, "≈ 3 h 12 m, clock x60"), (11520, "≈ 3 h 12 m")],
)
def test_a_gap_says_how_service_time_went(real: float, told: str) -> None:
    moved = trace.RecipientMoved("notified", "expired", "expired")
    events = [accepted(), happened(moved, 11520, 2, real)]
    assert [row.text for row in only(made(events, []), RowKind.GAP)] == [told]


def test_a_fault_is_marked_once() -> None:
    events = [accepted(), happened(trace.FindingNoted("vasp:news", "MM7-R012", "c", -1, "misspelt"), 0.05, 3)]
    found = made(events, [post(0.1, 1), answer(0.2, 1)])
    assert [row.icon for row in only(found, RowKind.NOTE)] == ["", "flag"]


def test_what_the_lab_saw_is_dotted() -> None:
    seen = Told(source="smsc:smsc-a", target="phone:+15550142", name="WAP push", beneath="", at=START, at_real=START)
    found = made([accepted()], push(0.1, 1), About(told=(seen,)))
    [row] = only(found, RowKind.TOLD)
    assert (row.name, row.beneath) == ("WAP push", "not on our wire")
    assert [one.key for one in found.columns] == ["vasp:news", "mmsc", "smsc:smsc-a", "phone:+15550142"]


def test_the_end_says_what_is_due() -> None:
    assert made([accepted()], []).rows[-1].text == "Nothing more is due"
    assert made([accepted()], [], About(due="push again in 2 s")).rows[-1].text == "Due: push again in 2 s"
    assert made([], []).rows == ()


def test_runs_are_told_in_one_and_can_be_had_one_by_one() -> None:
    records = [one for index in range(6) for one in push(0.1 + index / 100, index, f"1555000{index}")]
    [row] = only(made([accepted()], records), RowKind.PDU)
    assert (row.name, row.count, row.numbers) == ("submit_sm ×6", 6, tuple("123456"))
    assert len(only(made([accepted()], records, folds=False), RowKind.PDU)) == 6


def test_retries_beyond_three_fold_with_their_waits() -> None:
    records: list[CaptureRecord] = []
    events = [accepted()]
    for attempt in range(1, 19):
        at = attempt * 300.0
        records += [post(at, attempt), answer(at + 0.1, attempt, 503 if attempt < 18 else 200)]
        if attempt < 18:
            failed = trace.AttemptFailed(
                "report_mm7", "vasp:news", attempt, "HTTP 503", START + round((at + 300) * SECOND)
            )
            events.append(happened(failed, at + 0.2, attempt + 1))
    found = made(events, records)
    [fold] = only(found, RowKind.FOLD)
    assert fold.text == "attempts 3 to 17, HTTP 503, every 5 min"
    assert fold.numbers == tuple(str(one) for one in range(3, 18))
    assert [row.number for row in only(found, RowKind.PDU)] == ["1", "2", "18"]
    assert len(found.rows) < 15


def test_a_long_ladder_shows_its_beginning_and_its_end() -> None:
    rows = [Row(key=str(index), kind=RowKind.NOTE, at=index, at_real=index) for index in range(300)]
    shown = list(windowed(rows))
    assert len(shown) == 101
    assert (shown[60].kind, shown[60].count, shown[60].text) == (RowKind.MORE, 200, "200 rows more")
    assert list(windowed(rows[:101])) == rows[:101]


def test_unknown_kinds_of_events_are_shown_by_name() -> None:
    from mmsc.trace.stored import Unknown

    found = made([accepted(), happened(Unknown("later.kind", {}), 1, 2)], [])
    assert only(found, RowKind.NOTE)[-1].text == "later.kind"


def test_nothing_that_a_neighbour_writes_is_markup_or_an_escape() -> None:
    record = captured("mm7", Direction.IN, f"GET /{EVIL} HTTP/1.1\r\n\r\n".encode(), 0.1, 1, EVIL)
    found = made([accepted(EVIL)], [record])
    picture = etree.fromstring(svg(found, EVIL).encode())
    assert {etree.QName(one).localname for one in picture.iter()} <= {
        *("svg", "title", "style", "defs", "pattern", "rect", "path", "text", "tspan")
    }
    told = text(found)
    assert all(char == "\n" or (char.isascii() and char.isprintable()) for char in told)


@pytest.mark.parametrize("name", stories())
def test_whole_stories_are_told_as_ever(name: str) -> None:
    """Look at the difference; with MMSC_RECORD_LADDERS set the new text is written."""
    told = text(story(name).traffic().ladder())
    path = FOLDER / f"{name}.txt"
    if os.environ.get("MMSC_RECORD_LADDERS"):
        path.write_text(told)
    assert told == path.read_text()
    assert max(map(len, told.splitlines()[1:])) <= WIDTH


@pytest.mark.parametrize("name", stories())
def test_a_ladder_grows_at_its_end(name: str) -> None:
    """Rows that were shown stay as they are, but for an answer that came, a fold, and the end."""
    whole = story(name).traffic()
    events, pdus = whole.events, [(one.record, one.octets) for one in whole.pdus]
    for number in range(1, len(pdus), 3):
        until = pdus[number - 1][0].at_service
        before = ladder(
            [one for one in events if one.at_service <= until], read(pdus[:number]), whole.about, Wishes(folds=False)
        )
        keys = [row.key for row in before.rows if row.kind not in (RowKind.GAP, RowKind.END)]
        after = [
            row.key for row in whole.ladder(Wishes(folds=False)).rows if row.kind not in (RowKind.GAP, RowKind.END)
        ]
        assert [key for key in after if key in keys] == [key for key in keys if key in after]


@pytest.mark.parametrize("name", stories())
def test_pictures_are_xml_with_every_name(name: str) -> None:
    found = story(name).traffic().ladder()
    shown = str(etree.tostring(etree.fromstring(svg(found, name).encode()), method="text", encoding="unicode"))
    assert all(row.name in shown for row in found.rows if row.kind is RowKind.PDU)


def test_segments_of_a_push_are_one_arrow_also_where_another_push_stands_between() -> None:
    records: list[CaptureRecord] = []
    for index, (to, number) in enumerate((("1", 1), ("2", 1), ("1", 2), ("2", 2))):
        data = bytes((0x0B, 5, 4, 0x0B, 0x84, 0x23, 0xF0, 0, 3, int(to), 2, number)) + b"\x01\x06\x00"
        request = smpp.SubmitSm(sequence_number=1, destination_addr=f"1555000{to}", esm_class=0x40, short_message=data)
        records.append(captured("smpp", Direction.OUT, smpp.encode(request), 0.1 + index / 100, index, "smsc-a"))
        response = smpp.encode(smpp.SubmitSmResp(sequence_number=1, message_id="1"))
        records.append(captured("smpp", Direction.IN, response, 0.105 + index / 100, index, "smsc-a"))
    rows = only(made([accepted()], records), RowKind.PDU)
    assert [(row.name, row.beneath, row.numbers) for row in rows] == [
        ("submit_sm ×2", "2 segments", ("1", "3")),
        ("submit_sm ×2", "2 segments", ("2", "4")),
    ]
