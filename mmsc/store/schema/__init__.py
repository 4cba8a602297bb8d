"""The schema's text, filled in for a store, and the hash that a database keeps of it."""

import hashlib
from importlib import resources
from typing import Final

TEXT: Final = resources.files(__name__).joinpath("0001_start.sql").read_text(encoding="utf-8")
HASH: Final = hashlib.sha256(TEXT.encode()).hexdigest()[:16]


def statements(**types: str) -> list[str]:
    """The DDL statements with `{id}`, `{blob}` and `{bigint}` filled in."""
    text = "\n".join(line for line in TEXT.splitlines() if not line.startswith("--"))
    return [one.strip() for one in text.format(**types).split(";") if one.strip()]
