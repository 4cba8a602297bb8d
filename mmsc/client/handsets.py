"""Handsets of a lab: their behaviour in words, and what they do with what is on them."""

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from mmsc.client.rest import Client, Json

FORMS: Final = (
    "immediate, deferred, deferred=SECONDS, reject, never, silent, unrecognised, forward=NUMBER; with + behind it "
    "wait=SECONDS, slow=OCTETS-A-SECOND, read, deleted, opened, reply=TEXT, no-report, report, no-ack, off, mms-off, "
    "memory-full, profile=NAME"
)
DOINGS: Final = ("fetch", "reject", "read", "delete", "forward", "reply", "off", "on")
_FETCHING: Final = ("immediate", "deferred", "reject", "unrecognised", "never", "silent")
_PLAIN: Final[dict[str, Json]] = {
    **{one: {"on_notification": one} for one in _FETCHING},
    "read": {"read_report": "fetched"},
    "opened": {"read_report": "opened"},
    "deleted": {"read_report": "deleted"},
    "no-report": {"report_allowed": False},
    "report": {"report_allowed": True},
    "no-ack": {"acknowledges": False},
    "off": {"coverage": False},
    "mms-off": {"mms": False},
    "memory-full": {"memory_full": True},
}


def behaviour_of(text: str) -> Json:
    """Words as REST has them: `deferred=30+read`. Raises ValueError."""
    found: Json = {}
    for word in re.split(r"(?<!=)\+", text):  # a + that a number begins with is no separator
        found |= _word(word.strip())
    return found


def _word(word: str) -> Json:
    name, equals, value = word.partition("=")
    if not equals and name in _PLAIN:
        return _PLAIN[name]
    match name:
        case "deferred":
            return {"on_notification": "deferred", "wait_seconds": float(value)}
        case "wait":
            return {"wait_seconds": float(value)}
        case "slow":
            return {"octets_per_second": int(value)}
        case "forward":
            return {"on_notification": "forward", "forward_to": [value]}
        case "reply":
            return {"auto_reply": value}
        case "profile":
            return {"profile": value}
    raise ValueError(f"{word!r} is none of {FORMS}")


class Handsets:
    """Those of one lab."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def listed(self) -> list[Json]:
        """All of them, with what they do in words."""
        found: list[Json] = self._client.get("/handsets")["handsets"]
        return found

    def one(self, number: str) -> Json:
        """One, and its behaviour."""
        found: Json = self._client.get(_place(number))
        return found

    def behave(self, number: str, behaviour: str | Json) -> None:
        """What it does from now on: words as `behaviour_of` takes them, or the fields of REST."""
        told = behaviour_of(behaviour) if isinstance(behaviour, str) else behaviour
        self._client.put(f"{_place(number)}/behaviour", told)

    def inbox(self, number: str) -> list[Json]:
        """What is on it, oldest first: messages, texts, reports, what was sent."""
        found: list[Json] = self._client.get(f"{_place(number)}/inbox")["items"]
        return found

    def send(self, number: str, to: Sequence[str], *, text: str = "", **given: object) -> Json:
        """It sends an MM over MM1; the item, with what the MMSC answered."""
        body = {"to": list(to), "texts": [text] if text else [], **given}
        found: Json = self._client.post(f"{_place(number)}/send", body)
        return found

    def do(self, number: str, what: str, *, item: int | None = None, **given: Any) -> Json:
        """One of `DOINGS`, with an item of it: the last message that waits (fetch, reject), else the last message.
        Raises ValueError where there is none."""
        if what not in DOINGS:
            raise ValueError(f"a handset does not {what!r}: it can {', '.join(DOINGS)}, send")
        if what in ("off", "on"):
            found: Json = self._client.put(f"{_place(number)}/coverage", {"on": what == "on"})
            return found
        place = f"{_place(number)}/inbox/{self._item(number, what) if item is None else item}"
        if what == "delete":
            self._client.delete(place)
            return {}
        body = given if what in ("read", "forward", "reply") else None
        done: Json = self._client.post(f"{place}/{what}", body)
        return done

    def _item(self, number: str, what: str) -> int:
        messages = [one for one in self.inbox(number) if one["kind"] == "message"]
        waiting = [one for one in messages if one["state"] in ("waiting", "deferred", "failed")]
        found = waiting if what in ("fetch", "reject") else messages
        if not found:
            raise ValueError(f"handset {number} has no message to {what}")
        return int(found[-1]["number"])


def _place(number: str) -> str:
    return f"/handsets/{quote(number)}"
