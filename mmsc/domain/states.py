"""The states of a recipient, in the field's words, and who may cause which move.

`MOVES` is the whole truth: a move that is not in it does not happen. Every transition in the store is one guarded
statement whose `state IN (...)` comes from `sources`.

Words of a closed list are `StrEnum`s. What is written for every message takes the plain word by `str`: `.value` is two
calls of Python each time.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class RecipientState(StrEnum):
    """Where one recipient of one MM stands."""

    SCHEDULED = "scheduled"  # waits for its delivery time; not DEFERRED, which is the recipient's choice
    ACCEPTED = "accepted"
    NOTIFIED = "notified"
    DEFERRED = "deferred"
    RETRIEVED = "retrieved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    RELAYED = "relayed"  # taken by another system: not final, no report yet
    FORWARDED = "forwarded"  # only: forwarded over MM1 without being retrieved
    UNRECOGNISED = "unrecognised"
    INDETERMINATE = "indeterminate"
    UNREACHABLE = "unreachable"
    CONDITION_NOT_MET = "condition_not_met"
    CANCELLED = "cancelled"
    LINK_SENT = "link_sent"
    LINK_VIEWED = "link_viewed"


S = RecipientState

FINAL: Final = frozenset(
    {
        S.RETRIEVED,
        S.REJECTED,
        S.EXPIRED,
        S.FORWARDED,
        S.UNRECOGNISED,
        S.INDETERMINATE,
        S.UNREACHABLE,
        S.CONDITION_NOT_MET,
        S.CANCELLED,
        S.LINK_VIEWED,
    }
)


class Happening(StrEnum):
    """What can happen to a recipient."""

    DUE = "due"  # the delivery time came
    PUSHED = "pushed"  # the SMSC took the notification
    FETCHED = "fetched"  # a GET was answered with all its octets
    RETRIEVED = "retrieved"  # m-notifyresp-ind Retrieved, m-acknowledge-ind, or never acknowledged in time
    DEFERRED = "deferred"
    REJECTED = "rejected"
    UNRECOGNISED = "unrecognised"
    FORWARDED = "forwarded"
    EXPIRED = "expired"
    RELAYED = "relayed"  # 250 after DATA or RES Ok; a mail system took it
    REFUSED_BY_PEER = "refused_by_peer"
    PEER_RETRIEVED = "peer_retrieved"  # the six MM4 delivery report statuses
    PEER_REJECTED = "peer_rejected"
    PEER_EXPIRED = "peer_expired"
    PEER_FORWARDED = "peer_forwarded"
    PEER_UNRECOGNISED = "peer_unrecognised"
    PEER_INDETERMINATE = "peer_indeterminate"
    PEER_DEFERRED = "peer_deferred"
    SILENCE = "silence"  # relayed, and no report until expiry and grace
    UNDELIVERABLE = "undeliverable"  # no route, not capable and fallback off, too large for the peer, SMSC refuses
    CONDITION_FAILED = "condition_failed"
    LINK_SENT = "link_sent"
    LINK_VIEWED = "link_viewed"
    LINK_SMS_DELIVERED = "link_sms_delivered"  # only where the VASP's fallback_report is sms_delivered
    CANCELLED = "cancelled"


H = Happening


class Cause(StrEnum):
    """Why a recipient ended as it did, where the state alone does not say."""

    NONE = ""
    RECIPIENT = "recipient"  # the recipient's own choice
    OTHER_RS = "other_rs"  # another MMSC refused
    US = "us"  # we cannot deliver
    WEB_LINK = "web_link"


_ON_OUR_SIDE: Final = (S.ACCEPTED, S.NOTIFIED, S.DEFERRED, S.LINK_SENT)
_WAITING: Final = (S.SCHEDULED, *_ON_OUR_SIDE)


def _moves() -> dict[RecipientState, dict[Happening, RecipientState]]:
    table: dict[RecipientState, dict[Happening, RecipientState]] = {state: {} for state in S}

    def on(happening: Happening, sources: tuple[RecipientState, ...], target: RecipientState) -> None:
        for source in sources:
            table[source][happening] = target

    on(H.DUE, (S.SCHEDULED,), S.ACCEPTED)
    on(H.PUSHED, (S.ACCEPTED, S.NOTIFIED), S.NOTIFIED)
    on(H.PUSHED, (S.DEFERRED,), S.DEFERRED)
    for state in _ON_OUR_SIDE:  # a complete GET alone moves nobody: the answer to come does
        table[state][H.FETCHED] = state
    on(H.RETRIEVED, _ON_OUR_SIDE, S.RETRIEVED)
    on(H.DEFERRED, (S.ACCEPTED, S.NOTIFIED, S.DEFERRED), S.DEFERRED)
    on(H.REJECTED, _ON_OUR_SIDE, S.REJECTED)
    on(H.UNRECOGNISED, (S.ACCEPTED, S.NOTIFIED, S.DEFERRED), S.UNRECOGNISED)
    on(H.FORWARDED, _ON_OUR_SIDE, S.FORWARDED)
    on(H.EXPIRED, _WAITING, S.EXPIRED)
    on(H.RELAYED, (S.ACCEPTED, S.RELAYED), S.RELAYED)
    on(H.REFUSED_BY_PEER, (S.ACCEPTED, S.RELAYED), S.REJECTED)
    on(H.PEER_RETRIEVED, (S.ACCEPTED, S.RELAYED), S.RETRIEVED)
    on(H.PEER_REJECTED, (S.ACCEPTED, S.RELAYED), S.REJECTED)
    on(H.PEER_EXPIRED, (S.ACCEPTED, S.RELAYED), S.EXPIRED)
    on(H.PEER_FORWARDED, (S.ACCEPTED, S.RELAYED), S.FORWARDED)
    on(H.PEER_UNRECOGNISED, (S.ACCEPTED, S.RELAYED), S.UNRECOGNISED)
    on(H.PEER_INDETERMINATE, (S.ACCEPTED, S.RELAYED), S.INDETERMINATE)
    on(H.PEER_DEFERRED, (S.ACCEPTED, S.RELAYED), S.RELAYED)
    on(H.SILENCE, (S.RELAYED,), S.INDETERMINATE)
    on(H.UNDELIVERABLE, _WAITING, S.UNREACHABLE)
    on(H.CONDITION_FAILED, (S.SCHEDULED, S.ACCEPTED, S.NOTIFIED), S.CONDITION_NOT_MET)
    on(H.LINK_SENT, (S.ACCEPTED, S.NOTIFIED, S.LINK_SENT), S.LINK_SENT)
    on(H.LINK_VIEWED, _ON_OUR_SIDE, S.LINK_VIEWED)
    on(H.LINK_SMS_DELIVERED, (S.LINK_SENT,), S.INDETERMINATE)
    on(H.CANCELLED, _WAITING, S.CANCELLED)
    return table


MOVES: Final[Mapping[RecipientState, Mapping[Happening, RecipientState]]] = MappingProxyType(_moves())

CAUSE_OF: Final[Mapping[Happening, Cause]] = MappingProxyType(
    {
        H.REJECTED: Cause.RECIPIENT,
        H.PEER_REJECTED: Cause.RECIPIENT,
        H.REFUSED_BY_PEER: Cause.OTHER_RS,
        H.UNDELIVERABLE: Cause.US,
        H.LINK_VIEWED: Cause.WEB_LINK,
        H.LINK_SMS_DELIVERED: Cause.WEB_LINK,
    }
)


def move(state: RecipientState, happening: Happening) -> RecipientState | None:
    """The state after `happening`, or None when the table knows no such move (late, repeated or out of turn)."""
    return MOVES[state].get(happening)


def sources(happening: Happening) -> tuple[RecipientState, ...]:
    """The states that `happening` may be applied to."""
    return tuple(state for state in S if happening in MOVES[state])
