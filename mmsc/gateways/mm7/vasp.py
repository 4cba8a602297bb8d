"""Who a VASP is: credentials, hashed with scrypt, verified ones remembered (a hash a request would cap the rate).

A hash takes tens of milliseconds on purpose: it is made beside the event loop, a few at a time, so that somebody who
guesses passwords slows nobody else down.
"""

import asyncio
import base64
import hashlib
import hmac
import os
from collections import OrderedDict
from typing import Final

from mmsc.domain.neighbours import Vasp, VaspInterface
from mmsc.engine.ports import Directory

_COST: Final = {"n": 1 << 14, "r": 8, "p": 1}
_REMEMBERED: Final = 10_000
_HASHES_AT_ONCE: Final = 2


def hash_password(password: str) -> str:
    """`scrypt$SALT$HASH` in hex, with a fresh salt."""
    salt = os.urandom(16)
    return f"scrypt${salt.hex()}${_scrypt(password, salt).hex()}"


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, dklen=32, **_COST)


def matches(password: str, password_hash: str) -> bool:
    """Whether a password is the hashed one; False for a hash nobody can read."""
    kind, _, rest = password_hash.partition("$")
    salt, _, digest = rest.partition("$")
    try:
        expected, salt_octets = bytes.fromhex(digest), bytes.fromhex(salt)
    except ValueError:
        return False
    return kind == "scrypt" and hmac.compare_digest(_scrypt(password, salt_octets), expected)


class Vasps:
    """Finds the VASP behind a request."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._verified: OrderedDict[bytes, tuple[str, str, str]] = OrderedDict()  # digest: name, username, hash
        self._hashing = asyncio.Semaphore(_HASHES_AT_ONCE)

    async def by_credentials(self, authorization: str) -> Vasp | None:
        """The VASP whose HTTP Basic credentials these are (RFC 7617), None when they are wrong."""
        key = hashlib.sha256(authorization.encode("utf-8", "surrogateescape")).digest()
        name, *known = self._verified.get(key, ("",))
        vasp = self._directory.vasps.get(name)
        if vasp is not None and [vasp.username, vasp.password_hash] == known:
            return vasp
        username, password = _login(authorization)
        vasp = next((one for one in self._directory.vasps.values() if username and one.username == username), None)
        if vasp is None:
            return None
        async with self._hashing:
            # others of its requests may have waited here with the same credentials
            verified = (vasp.name, vasp.username, vasp.password_hash)
            matching = self._verified.get(key) == verified or await asyncio.to_thread(
                matches, password, vasp.password_hash
            )
        if not matching:
            return None
        self._verified[key] = verified
        while len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)
        return vasp

    def open_one(self, vasp_id: str) -> Vasp | None:
        """The VASP on MM7 without credentials that has this VASPID, or that takes any."""
        vasps = self._directory.vasps.values()
        open_ones = [one for one in vasps if not one.username and one.interface is VaspInterface.MM7]
        named = [one for one in open_ones if one.vasp_id and one.vasp_id == vasp_id]
        return next(iter(named), None) or next((one for one in open_ones if not one.vasp_id), None)


def _login(authorization: str) -> tuple[str, str]:
    """(username, password) of HTTP Basic credentials, a username of "" when they are none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:  # no base64, no UTF-8, or not even ASCII
        return "", ""
    return (username, password) if colon else ("", "")
