"""What makes a request the same again: who asks, for what, by which name of his, and his octets (semantics: repeats).

The digest is XXH3's of 128 bits. It is no secret and seals nothing: who made two requests of his own alike would get
the first one's answer for the second. SHA-256 was the longest single step of reading a request of 30 KB.
"""

import xxhash


def repeat_key(*names: str, content: tuple[bytes, ...] = ()) -> bytes:
    """16 octets. `names` are told apart, and from `content`, by NUL."""
    digest = xxhash.xxh3_128("\0".join((*names, "")).encode("utf-8", "surrogateescape"))
    for octets in content:
        digest.update(octets)
    return digest.digest()
