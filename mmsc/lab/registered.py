"""Handsets as an SMSC knows them: by number, switched on, and what they do with what arrives."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

OnPush = Callable[[bytes], Awaitable[None]]
OnText = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class Registered:
    """A handset that is switched on."""

    on_push: OnPush
    on_sms: OnText


def nobody(_: str) -> Registered | None:
    """No handset has this number."""
    return None
