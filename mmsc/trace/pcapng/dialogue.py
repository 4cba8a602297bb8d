"""What went which way in one capture. HTTP and SMPP are as they were on the wire; of a mail the tap keeps the commands
and the content, so the replies in between are written anew, or no analyser would find the mail."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_DATA: Final = re.compile(rb"(?:^|\r\n)DATA\r\n")
_LINE: Final = re.compile(rb"[^\n]*\n|[^\n]+\Z")
_OK: Final = b"250 OK\r\n"
_GO_ON: Final = b"354 go on\r\n"
_STUFFED: Final = re.compile(rb"^\.", re.MULTILINE)
REBUILT: Final = "written for this file: the tap keeps commands and mail, not the replies between them"
_ANSWER: Final = re.compile(rb"HTTP/\d|\d{3}[ -]")


class Turn(NamedTuple):
    """Octets that went one way."""

    to_server: bool
    octets: bytes
    is_rebuilt: bool = False


def is_answer(octets: bytes) -> bool:
    """Whether this is what a server says over HTTP or SMTP."""
    return _ANSWER.match(octets) is not None


def mail(octets: bytes) -> Iterator[Turn]:
    """The commands of one SMTP transaction with the replies that they had, then the mail, its dots stuffed again
    (RFC 5321 4.5.2)."""
    found = _DATA.search(octets)
    commands, content = (octets, b"") if found is None else (octets[: found.end()], octets[found.end() :])
    for line in _LINE.findall(commands):
        yield Turn(True, line)
        yield Turn(False, _GO_ON if line == b"DATA\r\n" else _OK, is_rebuilt=True)
    if content:
        yield Turn(True, _STUFFED.sub(b"..", content) + (b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"))
