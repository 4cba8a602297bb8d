"""A single range of octets out of an answer (RFC 9110 14): a client that lost its connection goes on where it was.

Several ranges, other units and what cannot be read are ignored, as RFC 9110 14.2 allows: the answer is whole then.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

_ONE: Final = re.compile(r"bytes\s*=\s*([0-9]{0,15})\s*-\s*([0-9]{0,15})", re.IGNORECASE)


class OctetRange(NamedTuple):
    """Octets [start, end) of `total`."""

    start: int
    end: int
    total: int

    @property
    def is_whole(self) -> bool:
        """Nothing is left out."""
        return self.start == 0 and self.end == self.total

    @property
    def content_range(self) -> str:
        """RFC 9110 14.4; of one without octets it says how many there are."""
        return f"bytes {self.start}-{self.end - 1}/{self.total}" if self.end > self.start else f"bytes */{self.total}"


def wanted(headers: Mapping[str, str], entity_tag: str, total: int) -> OctetRange:
    """What of an answer of `total` octets a GET asks for; one without octets when it asks for what is not there (416).
    If-Range with another entity tag, or a date, asks for all of it (13.1.5)."""
    whole = OctetRange(0, total, total)
    text = headers.get("Range")
    if text is None or headers.get("If-Range", entity_tag).strip() != entity_tag:
        return whole
    found = _ONE.fullmatch(text.strip())
    if found is None or not (found[1] or found[2]):
        return whole
    if not found[1]:  # the last so many
        return OctetRange(max(0, total - int(found[2])), total, total)
    start = int(found[1])
    if found[2] and int(found[2]) < start:
        return whole
    if start >= total:
        return OctetRange(0, 0, total)
    return OctetRange(start, min(int(found[2]) + 1, total) if found[2] else total, total)
