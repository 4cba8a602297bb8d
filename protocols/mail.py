"""What MM3 and MM4 read of a mail beside their own fields: its moment and its content (RFC 5322, RFC 2045)."""

from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from protocols import mime

MAXIMUM_HEADER_OCTETS: Final = 64 * 1024
MAXIMUM_RECEIVED: Final = 100  # RFC 5321 6.3: a loop; RFC 4356 asks for no less


def read_date(text: str) -> datetime | None:
    """Aware; a moment that UTC's calendar does not hold is none."""
    for reader in (parsedate_to_datetime, datetime.fromisoformat):
        with suppress(ValueError, TypeError, IndexError, OverflowError):
            parsed = reader(text)
            aware = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
            aware.astimezone(UTC)
            return aware
    return None


def read_content(headers: tuple[tuple[str, str], ...], body: bytes) -> mime.MimePart:
    """The body as a part, by the mail's own Content- fields. Raises DecodeError."""
    own = tuple(one for one in headers if one[0].startswith("content-"))
    return mime.part_from(own, body if _is_multipart(own) else body.removesuffix(b"\r\n"))


def _is_multipart(headers: tuple[tuple[str, str], ...]) -> bool:
    return any(name == "content-type" and value.lower().startswith("multipart/") for name, value in headers)
