"""What is sent again: the octets taken apart so that people can edit them, and put together again."""

import re
from typing import Final

from protocols.records import record

MAIL: Final = ("mm3", "mm4")
_MASKED: Final = re.compile(r"^([A-Za-z-]+)[ \t]*:[^\n]*?\*{3,}[ \t]*$", re.MULTILINE)
_LENGTH: Final = re.compile(r"^(Content-Length[ \t]*:).*$", re.IGNORECASE | re.MULTILINE)
_CREDENTIALS: Final = re.compile(r"^(Authorization[ \t]*:).*$", re.IGNORECASE | re.MULTILINE)
_HEAD_END: Final = b"\r\n\r\n"
_DATA: Final = re.compile(rb"(?:^|\r\n)DATA\r\n")


class Unreplayable(Exception):
    """There is no request that could be sent again."""


class NotAllowed(Exception):
    """The address is none that octets may be sent to."""


@record(frozen=True, slots=True, kw_only=True)
class Replay:
    """One request. `head`: an HTTP head or SMTP commands, lines ended by LF; SMPP has none. `correct`: lengths are made
    right (Content-Length, command_length), and an SMPP sequence_number is one of the new session. `authorization` takes
    the place of a masked one; SMPP binds with `system_id` and `password`. `masked` names what was not kept."""

    interface: str
    host: str
    port: int
    head: str
    body: bytes
    tls: bool = False
    correct: bool = True
    authorization: str = ""
    system_id: str = ""
    password: str = ""
    masked: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """`host:port`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def octets(self) -> bytes:
        """An HTTP request as it goes out. ValueError for a head that no octets can be."""
        head = self.head.replace("\r\n", "\n").rstrip("\n")
        if self.authorization:
            head = _with(head, _CREDENTIALS, "Authorization", self.authorization)
        if self.correct and (self.body or _LENGTH.search(head)):
            head = _with(head, _LENGTH, "Content-Length", str(len(self.body)))
        return head.replace("\n", "\r\n").encode("utf-8", "surrogateescape") + _HEAD_END + self.body


@record(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of it. `sent` and `answer` are octets; `talk` is an SMTP session line by line, "" for others; `problem`
    says why there is no answer, or not all of it."""

    sent: bytes
    answer: bytes = b""
    talk: str = ""
    problem: str = ""
    milliseconds: float = 0.0


def taken_apart(interface: str, octets: bytes) -> tuple[str, bytes, tuple[str, ...]]:
    """(head, body, what is masked). Raises Unreplayable."""
    if interface == "smpp":
        return "", octets, ("the password of the bind",)
    if interface in MAIL:
        found = _DATA.search(octets)
        if found is None:
            raise Unreplayable("no mail was kept of this")
        commands, body = octets[: found.end()], octets[found.end() :]
        return _text(commands), body, ()
    head, end, body = octets.partition(_HEAD_END)
    if not end or head.startswith(b"HTTP/"):
        raise Unreplayable("this is no request")
    text = _text(head)
    return text, body, tuple(name for name in _MASKED.findall(text))


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape").replace("\r\n", "\n").rstrip("\n")


def _with(head: str, line: "re.Pattern[str]", name: str, value: str) -> str:
    if "\n" in value or "\r" in value:
        raise ValueError(f"a line break in {name}")
    if line.search(head):
        return line.sub(lambda found: f"{found[1]} {value}", head, count=1)
    return f"{head}\n{name}: {value}"
