"""Times of MM7 as people type them: xs:dateTime, xs:duration, or in words (TS 23.140 8.7.1: absolute or relative)."""

import re
from datetime import datetime
from typing import Any, Final

import click

from mmsc.clock import host_now
from mmsc.domain.instant import later, to_datetime

_DURATION: Final = re.compile(r"-?P(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?", re.ASCII)
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_WORDS: Final = re.compile(r"(in |now)\s*([+-]?)((?:\s*\d{1,9}\s*[a-z]+)*)", re.ASCII)
_AMOUNT: Final = re.compile(r"(\d+)\s*([a-z]+)", re.ASCII)
_SECONDS: Final = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("w", "week", "weeks"), 7 * 86_400),
}
_MOST_SECONDS: Final = 100 * 366 * 86_400
FORMS: Final = "'in 2h', PT2H, 2026-12-24T18:00:00Z or 'now+2h'"


class Time(click.ParamType):  # type: ignore[type-arg] # generic in newer stubs only
    """A time as MM7 has it. `in 2h` is the duration PT2H, `now+2h` the moment that it is then in UTC; xs:dateTime and
    xs:duration go out as they are. With `absolute` durations are refused."""

    name = "time"

    def __init__(self, *, absolute: bool = False) -> None:
        self._absolute = absolute

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """xs:dateTime or xs:duration; "" stays what it is."""
        text = str(value).strip()
        if not text:
            return ""
        words = _WORDS.fullmatch(text.lower())
        seconds = None if words is None else _seconds(words[3])
        if words is not None and seconds is not None:
            return self._from_words(words[1] == "now", -seconds if words[2] == "-" else seconds, text, param, ctx)
        if _DURATION.fullmatch(text):
            return self._relative(text, text, param, ctx)
        if _DATE_TIME.fullmatch(text):
            try:
                datetime.fromisoformat(text)
            except ValueError as error:
                self.fail(f"{text!r} is no moment of the calendar: {error}", param, ctx)
            return text
        forms = "2026-12-24T18:00:00Z or 'now+2h'" if self._absolute else FORMS
        raise click.BadParameter(f"{text!r} is no time; write {forms}", ctx, param)

    def _from_words(
        self, is_moment: bool, seconds: int, text: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        if is_moment:
            return to_datetime(later(host_now(), seconds)).isoformat(timespec="seconds").replace("+00:00", "Z")
        return self._relative(_duration(seconds), text, param, ctx)

    def _relative(self, duration: str, text: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if self._absolute:
            self.fail(f"{text!r} is relative; write 2026-12-24T18:00:00Z or 'now+2h'", param, ctx)
        return duration


def _seconds(text: str) -> int | None:
    """What amounts with units sum up to, None where a unit is none."""
    total = 0
    for amount, unit in _AMOUNT.findall(text):
        if unit not in _SECONDS:
            return None
        total += int(amount) * _SECONDS[unit]
    return total if total <= _MOST_SECONDS else None


def _duration(seconds: int) -> str:
    """As xs:duration writes it (XML Schema 2, 3.2.6)."""
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    days, rest = divmod(rest, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    date = f"{days}D" if days else ""
    time = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if number)
    if not date and not time:
        time = "0S"
    return f"{sign}P{date}{'T' if time else ''}{time}"
