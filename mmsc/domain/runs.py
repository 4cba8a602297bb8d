"""Run tags: several people share one server, and each sees, resets and reports what is tagged as his own."""

import re
from typing import Final

RUN: Final = "run"  # in an MM's details
LONGEST: Final = 64
_OTHER: Final = re.compile(r"[^A-Za-z0-9._-]")


def tag_of(text: str) -> str:
    """A tag as it is kept: letters, digits, dots, hyphens and underscores, at most `LONGEST`; a hyphen stands for what
    is none of them. "" for none."""
    return _OTHER.sub("-", text.strip()[:LONGEST])
