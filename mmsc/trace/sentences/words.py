"""Words and small forms that sentences are made of."""

from typing import Final

from mmsc.domain.instant import SECOND, Instant, to_datetime

LONGEST: Final = 45  # characters of a short sentence
_SHORTENED: Final = "…"
_KINDS_OF_WORK: Final = {
    "notify": "notification",
    "link": "web link SMS",
    "forward": "MM4_forward.REQ",
    "watch": "wait for the peer's report",
    "deliver_mm7": "DeliverReq",
    "report_mm7": "DeliveryReportReq",
    "read_mm7": "ReadReplyReq",
    "read_mm1": "m-read-orig-ind",
    "report_mm1": "m-delivery-ind",
    "report_mm4": "MM4_delivery_report.REQ",
    "cancel_mm1": "m-cancel-req",
    "res_mm4": "MM4 RES",
}
_SHORT_WORK: Final = {
    **_KINDS_OF_WORK,
    "watch": "peer's report",
    "deliver_mm7": "DeliverReq",
    "report_mm7": "report",
    "report_mm1": "report",
    "report_mm4": "report",
    "read_mm7": "read report",
    "read_mm1": "read report",
    "forward": "forward",
}


Words = tuple[str, str]  # short and long; "": the short one does


def work(kind: str) -> str:
    """What a task does, as the field calls it."""
    return _KINDS_OF_WORK.get(kind, kind)


def short_work(kind: str) -> str:
    """The same where there is little room."""
    return _SHORT_WORK.get(kind, kind)


def clock_time(at: int) -> str:
    """HH:MM:SS (UTC) of an instant."""
    return to_datetime(Instant(at)).strftime("%H:%M:%S")


def in_words(micros: int) -> str:
    """A span as people speak of it: `2 s`, `4 min`, `3 h`, `2 d`; nothing below a second is told."""
    seconds = max(0, round(micros / SECOND))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def octets(number: int) -> str:
    """A size for a list: `812 B`, `31.9 KB`, `1.2 MB` (powers of ten)."""
    for unit, size in (("MB", 1_000_000), ("KB", 1_000)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} B"


def clipped(text: str, most: int = LONGEST) -> str:
    """At most so many characters, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + _SHORTENED


def state_word(name: str) -> str:
    """A state as it is written in sentences."""
    return name.replace("_", " ")


def neighbour(lane: str) -> str:
    """The neighbour that a lane leads to."""
    return lane.partition(":")[2] or lane


def together(*parts: str) -> str:
    """What is there of it, with commas."""
    return ", ".join(part for part in parts if part)


def with_reason(text: str, because: str) -> str:
    """And why, where that is known."""
    return f"{text}: {because}" if because else text
