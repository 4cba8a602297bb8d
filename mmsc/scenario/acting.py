"""What the neighbours do in a scenario: each verb as calls of the lab's REST interface."""

import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

from mmsc.client import ApiError, Client, Handsets, Submitted
from mmsc.client.patterns import filled
from mmsc.client.times import seconds_of
from mmsc.scenario.model import Step
from mmsc.scenario.story import Story

Answer = dict[str, object]
_OUR_WORDS: Final = ("vasp", "as", "answer", "save", "expiry", "deliver_after")
_PAGE_SECONDS: Final = 10.0
_PAGE_OCTETS: Final = 1024 * 1024


class _NowhereElse(urllib.request.HTTPRedirectHandler):
    """Pages of a web link lead nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        """A redirect is the answer."""


_BROWSER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NowhereElse)


class Unfit(Exception):
    """The lab has not what a step needs."""


class Acting:
    """Acts in one story."""

    def __init__(self, client: Client, story: Story) -> None:
        self._client = client
        self._handsets = Handsets(client)
        self._story = story

    def set_up(self, setup: Mapping[str, Any]) -> None:
        """What holds before the first step. Raises ApiError, OSError."""
        for number, told in (setup.get("subscribers") or {}).items():
            self._client.put(f"/subscribers/{number}", told)
        for number, behaviour in (setup.get("phones") or {}).items():
            self._handsets.behave(number, behaviour)
        for name, told in (setup.get("vasps") or {}).items():
            self._client.answers(told.get("answers", "1000"), vasp=name, delay_seconds=told.get("delay", 0.0))
        for name, mood in (setup.get("smscs") or {}).items():
            self._client.mood(smsc=name, **mood)
        for name, parameters in (setup.get("faults") or {}).items():
            self._fault(name, parameters)

    def clean_up(self) -> None:
        """Leave no fault and no stopped clock behind."""
        with suppress(ApiError, OSError):
            for name in self._story.faults:
                self._client.clear_fault(name)

    def do(self, step: Step) -> Answer:
        """One step; what the MMSC answered, by field. Raises ApiError, OSError, ValueError, Unknown, Unfit."""
        by_verb: dict[str, Callable[[Any], Answer | None]] = {
            "submit": self._submit,
            "send": self._send,
            "repeat": self._repeat,
            "cancel": self._cancel,
            "phone": self._phone,
            "vasp": self._vasp,
            "smsc": self._smsc,
            "fault": self._set_fault,
            "clear": self._clear,
            "clock": self._clock,
            "note": lambda _: None,
        }
        what = step.what
        if isinstance(what, Mapping):
            kept = {name: what[name] for name in ("answer", "save") if name in what}
            rest = {name: value for name, value in what.items() if name not in kept}
            what = {**filled(rest, self._story.variables), **kept}
        return by_verb[step.verb](what) or {}

    def _submit(self, what: Mapping[str, Any]) -> Answer:
        elements = {name: value for name, value in what.items() if name not in _OUR_WORDS}
        if "expiry" in what:
            elements["expiry_date"] = f"PT{what['expiry']:g}S"
        if "deliver_after" in what:
            elements["earliest_delivery_time"] = f"PT{what['deliver_after']:g}S"
        elements.setdefault("delivery_report", True)
        sent = self._client.submit(vasp=what.get("vasp", "demo"), **elements)
        self._story.began_with(what.get("as"), sent.mm_id, sent.message_id, sent.transaction_id)
        return _fields(sent)

    def _send(self, what: Mapping[str, Any]) -> Answer:
        """As the compose page: flags and numbers are texts there."""
        draft = {name: value for name, value in what.items() if name not in ("by", "as", "answer", "save")}
        draft = {name: value if isinstance(value, list) else _as_text(value) for name, value in draft.items()}
        if what["by"] == "rest":
            sent: Answer = {"ok": True, **self._client.post("/messages", draft)}
        else:
            sent = self._client.post(f"/send/{quote(what['by'])}", draft)
        message_id = str(sent.get("message_id") or "")
        self._story.began_with(what.get("as"), str(sent.get("mm_id") or ""), message_id, "")
        return sent

    def _repeat(self, what: Mapping[str, Any]) -> Answer:
        name = self._story.name_of(what.get("of"))
        sent = self._client.repeat(self._story.transactions[name], vasp=what.get("vasp", "demo"))
        self._story.learned(name, sent.mm_id, sent.message_id)
        return _fields(sent)

    def _cancel(self, what: Mapping[str, Any]) -> Answer:
        name = self._story.name_of(what.get("of"))
        return _fields(self._client.cancel(self._story.answers.get(name, ""), vasp=what.get("vasp", "demo")))

    def _phone(self, what: Mapping[str, Any]) -> Answer | None:
        number, does = what["number"], what["does"]
        match does:
            case "behave":
                self._handsets.behave(number, what.get("behaviour", "immediate"))
            case "open_link":
                return self._open_link(number)
            case "send":
                given = {name: what[name] for name in _SENT if name in what}
                sent = self._handsets.send(number, what.get("to", ()), **given)
                message_id = str(sent.get("message_id") or "")
                self._story.began_with(what.get("as"), self._mm_id(message_id), message_id, "")
                return sent
            case _:
                rest = {name: value for name, value in what.items() if name not in _NOT_TOLD}
                return self._handsets.do(number, does, **rest)
        return None

    def _mm_id(self, message_id: str) -> str:
        """The id of a message that a handset sent, by what the MMSC called it."""
        if not message_id:
            return ""
        rows = self._client.messages(message_id.partition("@")[0], limit=1)["rows"]
        return str(rows[0]["mm_id"]) if rows else ""

    def _open_link(self, number: str) -> Answer:
        """The page behind the last SMS with a link of ours, as a phone's browser asks for it."""
        texts = [one for one in self._handsets.inbox(number) if one["kind"] == "text"]
        links = [word for one in texts for word in str(one.get("text", "")).split() if word.startswith("http")]
        if not links:
            raise ValueError(f"handset {number} has got no SMS with a link")
        origins = self._web_link()
        ours = [link for link in links if _origin(link) in origins]
        if not ours:
            raise ValueError(f"the link {links[-1]} is none of this MMSC's web link ({', '.join(origins)}): not opened")
        with _BROWSER.open(ours[-1], timeout=_PAGE_SECONDS) as page:
            return {
                "status": page.status,
                "page": page.read(_PAGE_OCTETS).decode("utf-8", "replace"),
                "link": ours[-1],
            }

    def _web_link(self) -> list[str]:
        """Where links of this MMSC lead. An SMS may come from anybody, and name anything."""
        places = [one for one in self._client.get("/server")["interfaces"] if one["name"] == "weblink"]
        return [_origin(url) for one in places for url in (one["public_url"], one["place"]) if url]

    def _vasp(self, what: Mapping[str, Any]) -> None:
        self._client.answers(
            what.get("answers", "1000"), vasp=what.get("name", "demo"), delay_seconds=what.get("delay", 0.0)
        )

    def _smsc(self, what: Mapping[str, Any]) -> None:
        mood = {name: value for name, value in what.items() if name != "name"}
        self._client.mood(smsc=what.get("name", "builtin"), **mood)

    def _set_fault(self, what: Mapping[str, Any]) -> None:
        self._fault(
            what["name"], {name: value for name, value in what.items() if name not in ("name", "answer", "save")}
        )

    def _fault(self, name: str, parameters: Mapping[str, Any]) -> None:
        self._client.set_fault(name, **parameters)
        self._story.faults.add(name)

    def _clear(self, name: str) -> None:
        self._client.clear_fault(None if name == "all" else name)

    def _clock(self, text: str) -> None:
        verb, _, rest = text.strip().partition(" ")
        match verb:
            case "pause":
                self._client.pause()
            case "resume":
                self._client.resume()
            case "step":
                self._client.step(seconds_of(rest))
            case "speed":
                self._client.speed(float(rest))
            case "next":
                still = self._client.settle()
                if still.next_due is not None:
                    self._client.step(max(0.0, (still.next_due - still.now) / 1_000_000))
            case _:
                raise ValueError(f"clock: {text!r} is none of pause, resume, step TIME, speed N, next due")


_SENT: Final = ("cc", "bcc", "subject", "text", "delivery_report", "read_report")
_NOT_TOLD: Final = ("number", "does", "as", "of", "answer", "save")


def _origin(url: str) -> str:
    """`http://host:port` in lower case, as far as there is one."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}".lower()


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fields(sent: Submitted) -> Answer:
    return {name: getattr(sent, name) for name in Submitted.__dataclass_fields__}
