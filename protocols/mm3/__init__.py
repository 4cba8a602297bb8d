"""MM3: mails between the MMSC and the Internet (TS 23.140 8.3; RFC 5322, RFC 4356)."""

from protocols.mm3.codec import Mail, Mm3Error, decode

__all__ = ["Mail", "Mm3Error", "decode"]
