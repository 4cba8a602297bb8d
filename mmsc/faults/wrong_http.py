"""Right HTTP answers made wrong: how they are written, and what is in them. What is taken from whom is for the
gateway."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from mmsc.faults.plan import Hit
from mmsc.net.http import HttpAnswer
from mmsc.net.manner import Manner

GARBAGE: Final = bytes(range(255, 191, -1))  # 64 octets that begin no PDU
_AT_ONCE: Final = Manner()


def instead(hit: Hit, answer: HttpAnswer) -> HttpAnswer:
    """An answer in the place of another one, whose `after` is told that it did not arrive."""
    given = answer.after

    async def after(_: bool) -> None:
        if given is not None:
            await given(False)

    return replace(
        answer,
        reason="",
        content_type="",
        body=b"",
        headers=(),
        reference=None,
        after=None if given is None else after,
        fault=hit.name,
        manner=delayed(hit),
    )


def delayed(hit: Hit, manner: Manner = _AT_ONCE) -> Manner | None:
    """How it is written, behind the delay that every fault may have; None: as ever."""
    seconds = manner.delay_seconds + hit.setting.delay_seconds
    made = replace(manner, delay_seconds=seconds)
    return None if made == _AT_ONCE else made


def spoilt(hit: Hit, answer: HttpAnswer) -> HttpAnswer | None:
    """The answer as a fault of writing has it; None when the fault is about something else."""
    made = _WRITTEN.get(hit.name.partition("-")[2])
    return None if made is None else made(hit, answer)


def _written(hit: Hit, answer: HttpAnswer, manner: Manner) -> HttpAnswer:
    return replace(answer, fault=hit.name, manner=delayed(hit, manner))


def _late(hit: Hit, answer: HttpAnswer) -> HttpAnswer:
    return _written(hit, answer, Manner(delay_seconds=hit.of("seconds")))


def _slow(hit: Hit, answer: HttpAnswer) -> HttpAnswer:
    return _written(hit, answer, Manner(octets_per_second=hit.of("octets")))


def _cut(hit: Hit, answer: HttpAnswer) -> HttpAnswer:
    return _written(hit, answer, Manner(cut_after=hit.of("octets")))


def _dropped(hit: Hit, answer: HttpAnswer) -> HttpAnswer:
    return _written(hit, answer, Manner(dropped=True))


def _hangs(hit: Hit, answer: HttpAnswer) -> HttpAnswer:
    return _written(hit, answer, Manner(silent_seconds=hit.of("seconds") or 0.1))


def _status(hit: Hit, answer: HttpAnswer) -> HttpAnswer:
    return replace(instead(hit, answer), status=hit.of("status"))


def _empty(hit: Hit, answer: HttpAnswer) -> HttpAnswer:
    return replace(instead(hit, answer), status=200)


def _typed(hit: Hit, answer: HttpAnswer) -> HttpAnswer:
    return replace(answer, content_type=hit.of("text"), fault=hit.name, manner=delayed(hit))


_WRITTEN: Final[dict[str, Callable[[Hit, HttpAnswer], HttpAnswer]]] = {
    "submit-slow": _late,
    "submit-silence": _dropped,
    "submit-hang": _hangs,
    "submit-cut": _cut,
    "submit-empty": _empty,
    "submit-type": _typed,
    "http": _status,
    "late": _late,
    "slow": _slow,
    "get-cut": _cut,
    "get-silence": _dropped,
    "type": _typed,
}
