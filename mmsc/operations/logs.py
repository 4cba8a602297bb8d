"""The log on standard error: lines of text or JSON objects, without secrets, and on wish with every event.

What a message is about stands in `extra` of whoever logs: mm_id, recipient_id, message_id, neighbour.
"""

import logging
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from mmsc.domain.instant import Instant, to_datetime
from mmsc.ids import to_text
from mmsc.trace.events import Event

ABOUT: Final = ("mm_id", "recipient_id", "task_id", "message_id", "neighbour", "exchange")
_IDS: Final = ("mm_id", "recipient_id", "task_id")  # as message ids have them: JSON's readers round large numbers
EVENTS: Final = "mmsc.events"
_SHORTEST_SECRET: Final = 4  # letters; a shorter one would blot out half of every line
_LOGIN: Final = re.compile(r"(?<=//)[^/@\s\"']*@")
_CREDENTIALS: Final = re.compile(
    r"(?i)\b((?:proxy-)?authorization\s*:\s*(?:basic|bearer|digest)?|password\s*=)\s*['\"]?[^\s,;'\"]+"
)
_BREAKS: Final = str.maketrans({"\n": "\\n", "\r": "\\r", "\x0b": "\\x0b", "\x0c": "\\x0c", "\x1b": "\\x1b"})
_encode: Final = msgspec.json.Encoder().encode


class Redactor:
    """Takes secrets out of texts: those that the settings name, logins in URLs, and what looks like credentials."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.knows(secrets)

    def knows(self, secrets: Iterable[str]) -> None:
        """From now on these are secret."""
        known = sorted({one for one in secrets if len(one) >= _SHORTEST_SECRET}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """The text with `***` where they stood."""
        text = _CREDENTIALS.sub(r"\1 ***", _LOGIN.sub("***@", text))
        return text if self._secrets is None else self._secrets.sub("***", text)

    def inside(self, value: object) -> object:
        """The same for every text in what is made of lists, objects and texts, before it is written as JSON: a number
        stays one, and a secret has no other spelling yet."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {name: self.inside(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.inside(one) for one in value]
        return value


class TextFormatter(logging.Formatter):
    """One line a record, for people; an exception's traceback follows it."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Text."""
        about = "".join(f" {name}={value}" for name, value in _about(record).items())
        told = self._redact(f"{record.getMessage()}{about}")
        line = f"{self.formatTime(record)} {record.levelname} {record.name}: {told}"
        event = getattr(record, "event", None)
        if event is not None:
            line = f"{line} {self._data(event)}"
        line = line.translate(_BREAKS)
        if record.exc_info:
            line = f"{line}\n{self._redact(self.formatException(record.exc_info))}"
        return line

    def _data(self, event: Mapping[str, object]) -> str:
        return _encode(self._redact.inside(msgspec.to_builtins(event["data"]))).decode()


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """JSON: line breaks are escaped by nature."""
        line: dict[str, Any] = {
            "time": _iso(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._redact(record.getMessage()),
        }
        line |= _about(record)
        event = getattr(record, "event", None)
        if event is not None:
            line |= {**event, "data": self._redact.inside(msgspec.to_builtins(event["data"]))}
        if record.exc_info:
            line["exception"] = self._redact(self.formatException(record.exc_info))
        return _encode(line).decode()


class EventLog:
    """Writes events as lines of the logger `mmsc.events`."""

    def __init__(self) -> None:
        self._logger = logging.getLogger(EVENTS)

    def __call__(self, event: Event) -> None:
        """One event: its kind is the message, its data an object."""
        told = {"event": event.kind, "at": _iso(to_datetime(Instant(event.at_real))), "data": event.data}
        about = {"mm_id": event.mm_id, "recipient_id": event.recipient_id, "task_id": event.task_id}
        extra = {"event": told, **{name: value for name, value in about.items() if value is not None}}
        self._logger.info(event.kind, extra=extra)


class Log:
    """Where the log goes, and what goes there."""

    def __init__(self, form: str, secrets: Iterable[str]) -> None:
        """`form` is text or json. Takes the root logger over."""
        self._redact = Redactor(secrets)
        self._text = form == "text"
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(TextFormatter(self._redact) if self._text else JsonFormatter(self._redact))
        logging.basicConfig(handlers=[handler], force=True)

    def set(self, level: str, *, events: bool, secrets: Iterable[str]) -> Callable[[Event], None] | None:
        """From now on this level; who writes events, None when nobody does."""
        self._redact.knows(secrets)
        logging.getLogger().setLevel(level.upper())
        logging.getLogger(EVENTS).setLevel(logging.INFO)  # whatever the level is
        return EventLog() if events else None


def _about(record: logging.LogRecord) -> Mapping[str, object]:
    found = {name: getattr(record, name, None) for name in ABOUT}
    return {
        name: to_text(value) if isinstance(value, int) and name in _IDS else value
        for name, value in found.items()
        if value is not None and value != ""
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
