"""Which PDU is legal in which state of a session (SMPP v3.4 2.2 and 2.3), and the sequence numbers. No I/O."""

from enum import StrEnum
from typing import Final

from protocols.smpp.enums import RESPONSE, CommandId


class SessionState(StrEnum):
    """The states of a session."""

    OPEN = "open"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBOUND = "unbound"
    CLOSED = "closed"


S = SessionState
C = CommandId
BOUND: Final = (S.BOUND_TX, S.BOUND_RX, S.BOUND_TRX)
BIND_STATES: Final = {
    C.BIND_TRANSMITTER: S.BOUND_TX,
    C.BIND_RECEIVER: S.BOUND_RX,
    C.BIND_TRANSCEIVER: S.BOUND_TRX,
}
_ESME_SENDS: Final = {
    **dict.fromkeys(BIND_STATES, (S.OPEN,)),
    C.SUBMIT_SM: (S.BOUND_TX, S.BOUND_TRX),
    C.DATA_SM: (S.BOUND_TX, S.BOUND_TRX),
    C.UNBIND: BOUND,
    C.ENQUIRE_LINK: (S.OPEN, *BOUND, S.UNBOUND),
}
_SMSC_SENDS: Final = {
    C.DELIVER_SM: (S.BOUND_RX, S.BOUND_TRX),
    C.DATA_SM: (S.BOUND_RX, S.BOUND_TRX),
    C.UNBIND: BOUND,
    C.ENQUIRE_LINK: (S.OPEN, *BOUND, S.UNBOUND),
}
LARGEST_SEQUENCE: Final = 0x7FFFFFFF


def may_send(command_id: CommandId, state: SessionState, *, esme: bool) -> bool:
    """Whether one side may send this command in this state. Responses and generic_nack may always answer."""
    if command_id & RESPONSE:
        return state is not S.CLOSED
    return state in (_ESME_SENDS if esme else _SMSC_SENDS).get(command_id, ())


class Sequence:
    """Sequence numbers of one direction: 1 to 0x7FFFFFFF, around again (v3.4 5.1.4)."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        """The next number."""
        self._last = self._last % LARGEST_SEQUENCE + 1
        return self._last
