"""Every event says what it is in one sentence."""

from typing import Any, get_type_hints

import msgspec
import pytest

from mmsc.domain.instant import HOUR, MINUTE, SECOND
from mmsc.trace import events as trace
from mmsc.trace import sentences
from mmsc.trace.events import KINDS
from mmsc.trace.stored import event_of

FULL = {str: "a text of some length that a neighbour sent", int: 1_700_000_000_000_000, bool: True, float: 2.5}


def filled(cls: type[trace.Data]) -> trace.Data:
    """An event of a kind, with something in every field."""
    values: dict[str, Any] = {}
    hints = get_type_hints(cls)
    for name in cls.__struct_fields__:
        values[name] = FULL.get(
            hints[name], (("+15550100123", "why"),) if "tuple[tuple" in str(hints[name]) else ("x",)
        )
    return cls(**values)


def bare(cls: type[trace.Data]) -> trace.Data:
    """An event of a kind with nothing but what it must have."""
    given = msgspec.to_builtins(filled(cls))
    info = msgspec.inspect.type_info(cls)
    assert isinstance(info, msgspec.inspect.StructType)
    return msgspec.convert({one.name: given[one.name] for one in info.fields if one.required}, cls)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_has_its_sentence(kind: str) -> None:
    assert KINDS[kind] in sentences.SENTENCES, f"{kind} has no sentence"
    for data in (filled(KINDS[kind]), bare(KINDS[kind])):
        short, long = sentences.short(data), sentences.long(data)
        assert 0 < len(short) <= sentences.LONGEST, short
        assert short != kind
        assert not short.endswith("."), short
        assert long.endswith((".", "?", "!")), long
        assert long[0].isupper() or long[0] in "+am" or not long[0].isalpha(), long
        assert "\n" not in short


def test_a_failed_report_names_attempt_code_and_when_it_goes_again() -> None:
    failed = trace.AttemptFailed("report_mm7", "vasp:weather-vasp", 1, "HTTP 503", 1_700_000_000_000_000)
    assert sentences.short(failed) == "report 1 failed: HTTP 503"
    told = "DeliveryReportReq to weather-vasp, attempt 1: HTTP 503. Again at 22:13:20."
    assert sentences.long(failed) == told


ANSWERED = (
    (trace.ReportDelivered("vasp:news", "retrieved", 1), "report taken by news"),
    (trace.ReportDelivered("peer:b", "expired", 2), "report taken by b, attempt 2"),
    (trace.ReportDelivered("peer:b", "", 1, "MM4_forward.RES Ok"), "RES taken by b"),
    (trace.ReportDelivered("peer:b", "", 3, "MM4_delivery_report.RES Ok"), "RES taken by b, attempt 3"),
    (trace.ReadReported("vasp:news", True, 1, "", 0), "read report taken by news"),
    (trace.DeliverAnswered("news", 1, True, 1000, "Success"), "news: DeliverRsp 1000"),
    (trace.ForwardAnswered("b", True, status="Ok"), "b: RES Ok"),
    (trace.ReportAnswered("b", "id", "Ok"), "b: report RES Ok"),
)


@pytest.mark.parametrize(("data", "short"), ANSWERED, ids=[one[1] for one in ANSWERED])
def test_an_answer_is_told_as_the_answer_that_it_is(data: trace.Data, short: str) -> None:
    assert sentences.short(data) == short


def test_a_res_says_to_what_it_was() -> None:
    taken = trace.ReportDelivered("peer:b", "", 1, "MM4_forward.RES Error-service-denied")
    assert sentences.long(taken) == "b took our RES at attempt 1: MM4_forward.RES Error-service-denied."


def test_what_is_long_is_cut_and_says_so() -> None:
    noted = trace.FindingNoted("vasp:news", "MM7-R012", "TS 23.140 8.7", 7, "a remark\nof two lines " * 9)
    assert len(sentences.short(noted)) <= sentences.LONGEST
    assert sentences.short(noted).endswith("…")


def test_an_event_of_a_later_version_is_told_by_its_name() -> None:
    event = event_of((1, None, None, None, 2, 3, "mm.teleported", '{"anything":1}'))
    assert sentences.short(event.data) == "mm.teleported"
    assert sentences.long(event.data) == "mm.teleported."


@pytest.mark.parametrize(
    ("micros", "words"),
    [(0, "0 s"), (-SECOND, "0 s"), (58 * SECOND, "58 s"), (5 * MINUTE, "5 min"), (3 * HOUR, "3 h"), (49 * HOUR, "2 d")],
)
def test_spans_are_told_as_people_speak_of_them(micros: int, words: str) -> None:
    assert sentences.in_words(micros) == words


@pytest.mark.parametrize(("number", "words"), [(812, "812 B"), (31_923, "31.9 KB"), (1_250_000, "1.2 MB")])
def test_sizes_are_rounded_in_lists(number: int, words: str) -> None:
    assert sentences.octets(number) == words
