"""MMS addresses as text: a value, the type behind it and, in mail, a domain behind that.

OMA-TS-MMS_ENC 8: `+15550100123/TYPE=PLMN`, `192.0.2.7/TYPE=IPv4`, e-mail bare. TS 23.140 8.4.5: in MM4 the domain of
an MMSC may stand behind it, `+15550100123/TYPE=PLMN@mms.example`, and what has no type may still be a number.
"""

import re
from typing import Final

from protocols.records import record

PLMN: Final = "PLMN"
IPV4: Final = "IPv4"
IPV6: Final = "IPv6"

_TYPE: Final = re.compile(r"/TYPE=([^@/]*)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\+?[0-9][0-9.\-]*")
_KNOWN: Final = {known.lower(): known for known in (PLMN, IPV4, IPV6)}


@record(frozen=True, slots=True)
class MmsAddress:
    """`type` is "" for e-mail, short codes and whatever came without one; `domain` is the MMSC's, "" for none."""

    value: str
    type: str = ""
    domain: str = ""

    def __str__(self) -> str:
        typed = f"{self.value}/TYPE={self.type}" if self.type else self.value
        return f"{typed}@{self.domain}" if self.domain else typed

    @property
    def is_number(self) -> bool:
        """Whether it is one by its type or, without a type, by its look."""
        return self.type == PLMN or (not self.type and _NUMBER.fullmatch(self.value) is not None)


def read(text: str) -> MmsAddress:
    """Take a text apart; the type in any case and known ones in their own spelling. An e-mail address stays whole."""
    text = text.strip()
    found = _TYPE.search(text)
    if found is not None:
        kind = found[1].strip()
        domain = text[found.end() :].removeprefix("@")
        return MmsAddress(text[: found.start()], _KNOWN.get(kind.lower(), kind), domain)
    local, at, domain = text.rpartition("@")
    if at and _NUMBER.fullmatch(local):
        return MmsAddress(local, "", domain)
    return MmsAddress(text)
