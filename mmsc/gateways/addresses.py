"""The domain's addresses as MMS spells them; what MM1, MM4 and the SMS side share."""

from typing import Final

from mmsc.domain.address import Address, AddressKind, Rewrite, rewritten
from protocols.address import IPV4, IPV6, PLMN, MmsAddress

# Taken once: an enumeration searches for its member each time that it is named.
_PHONE: Final = AddressKind.PHONE
_IP: Final = AddressKind.IP


def spelled(address: Address, rewrites: tuple[Rewrite, ...] = ()) -> str:
    """`/TYPE=` behind numbers and IP addresses; e-mail and short codes bare (OMA-TS-MMS_ENC 8; TS 23.140 8.4.5).
    `rewrites` are those of the neighbour that is told."""
    if address.kind is _PHONE:
        return str(MmsAddress(rewritten(address.value, rewrites), PLMN))
    if address.kind is _IP:
        return str(MmsAddress(address.value, IPV6 if ":" in address.value else IPV4))
    return address.value
