"""Octets to objects and back, for every wire the MMSC speaks.

No sockets, clock, randomness, files or logging in here, and nothing of `mmsc`: each codec can be used alone.
Every package offers `decode(octets) -> Decoded(message, findings)` and `encode(message) -> bytes`;
from `decode` only `ProtocolError` escapes.
"""
