"""PDUs about one MM to several recipients differ in X-Mms-Transaction-ID, which is their second field, and in
X-Mms-Content-Location, which is the last one of an m-notification-ind: what stands between is written once
(OMA-TS-MMS_ENC 6.2, 6.3)."""

from typing import Final, NamedTuple

from protocols.errors import EncodeError
from protocols.mm1.codec import encode_head
from protocols.mm1.headers import BY_ATTRIBUTE
from protocols.mm1.pdus import MNotificationInd, MRetrieveConf
from protocols.wsp.primitives import text_octets

_LOCATION: Final = bytes((0x80 | BY_ATTRIBUTE["content_location"].number,))
_TYPE_AND_FIELD: Final = 3  # octets: X-Mms-Message-Type, and the number of X-Mms-Transaction-ID


class Alike(NamedTuple):
    """The octets that such PDUs have in common: before the transaction id, and behind it."""

    before: bytes
    behind: bytes

    def head(self, transaction_id: str) -> bytes:
        """An m-retrieve-conf's, as `encode_head` has it."""
        return self.before + text_octets(transaction_id) + self.behind

    def octets(self, transaction_id: str, content_location: str) -> bytes:
        """An m-notification-ind's, as `encode` has it."""
        if not transaction_id:
            raise EncodeError("m-notification-ind without X-Mms-Transaction-ID", clause=MNotificationInd.clause)
        if not content_location:
            raise EncodeError("m-notification-ind without X-Mms-Content-Location", clause=MNotificationInd.clause)
        return self.before + text_octets(transaction_id) + self.behind + _LOCATION + text_octets(content_location)


def alike(pdu: MNotificationInd | MRetrieveConf) -> Alike:
    """What others have in common with this one, which has a transaction id, and nothing that its class does not list.
    Raises EncodeError."""
    head = encode_head(pdu)
    end = len(head)
    if isinstance(pdu, MNotificationInd):
        end -= len(_LOCATION) + len(text_octets(pdu.content_location or ""))
    start = _TYPE_AND_FIELD + len(text_octets(pdu.transaction_id or ""))
    return Alike(head[:_TYPE_AND_FIELD], head[start:end])
