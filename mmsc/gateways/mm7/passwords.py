"""Passwords of VASPs, kept hashed with scrypt.

A hash takes tens of milliseconds on purpose: it is made beside the event loop, a few at a time, so that somebody who
guesses passwords slows nobody else down, and keeps nobody of another VASP out. Who asks the same at the same time gets
the same answer at the same time: with the nine hundred connections of a flood, one waiter woken in each turn of a busy
loop was a wait of half a minute for the last.
"""

import asyncio
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import Final

from mmsc.gateways.turns import Turns

_COST: Final = {"n": 1 << 14, "r": 8, "p": 1}
_HASHES_AT_ONCE: Final = 2
_HASHES_BESIDE: Final = 2  # for VASPs none of whose is compared


def hash_password(password: str) -> str:
    """`scrypt$SALT$HASH` in hex, with a fresh salt."""
    salt = os.urandom(16)
    return f"scrypt${salt.hex()}${_scrypt(password, salt).hex()}"


def matches(password: str, password_hash: str) -> bool:
    """Whether a password is the hashed one; False for a hash nobody can read."""
    kind, _, rest = password_hash.partition("$")
    salt, _, digest = rest.partition("$")
    try:
        expected, salt_octets = bytes.fromhex(digest), bytes.fromhex(salt)
    except ValueError:
        return False
    return kind == "scrypt" and hmac.compare_digest(_scrypt(password, salt_octets), expected)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, dklen=32, **_COST)


@dataclass(slots=True)
class _Check:
    """One comparison, and who waits for it. `matching` is None until it is known, and when it was given up."""

    over: asyncio.Event = field(default_factory=asyncio.Event)
    matching: bool | None = None


class PasswordChecks:
    """Compares passwords with their hashes."""

    def __init__(self) -> None:
        self._turns = Turns(at_once=_HASHES_AT_ONCE, beside=_HASHES_BESIDE)
        self._under_way: dict[tuple[str, str], _Check] = {}

    async def matches(self, password: str, password_hash: str) -> bool:
        """Whether a password is the hashed one. Who is cancelled, at a stop, leaves a thread that still hashes."""
        asked = (password, password_hash)
        while (check := self._under_way.get(asked)) is not None:
            await check.over.wait()
            if check.matching is not None:
                return check.matching
        check = self._under_way[asked] = _Check()
        try:
            await self._turns.enter(password_hash)
            try:
                check.matching = matching = await asyncio.to_thread(matches, password, password_hash)
            finally:
                self._turns.leave(password_hash)
        finally:
            del self._under_way[asked]
            check.over.set()
        return matching
