"""What each state becomes in a delivery report, on each interface: one table, one test per cell.

MM1: OMA-TS-MMS_ENC 7.3.54 (older clients know no Unreachable, and 1.0 no Forwarded). MM4: TS 23.140 8.4.2.
MM7: TS 23.140 8.7, REL-6 with MMStatusExtension, REL-5 with its five words.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from mmsc.domain.states import FINAL, Cause, RecipientState
from protocols.records import record

S = RecipientState
_FORWARDED, _UNREACHABLE = 0x11, 0x12  # the versions of MMS whose X-Mms-Status has them


@record(frozen=True, slots=True)
class Status:
    """A state told to an originator: the word on each interface, "" where nothing is sent there."""

    mm1: str
    mm1_older: str
    mm4: str
    mm7: str
    mm7_rel5: str
    mm4_extension: str = ""
    mm7_extension: str = ""
    text: str = ""

    def mm1_word(self, version: int) -> str:
        """X-Mms-Status for a client of this version (0x12 for 1.2): Forwarded came with 1.1, Unreachable with 1.2."""
        newest = _FORWARDED if self.mm1 == "Forwarded" else _UNREACHABLE
        return self.mm1 if version >= newest else self.mm1_older


def _same(word: str, **changes: str) -> Status:
    words = {"mm1": word, "mm1_older": word, "mm4": word, "mm7": word, "mm7_rel5": word, **changes}
    return Status(**words)


SILENT: Final = Status("", "", "", "", "")
# Not the meaning of Forwarded, but what some operators mean: a dialect of MM7, told where a profile asks for it.
_SENT_TO_THE_NETWORK: Final = _same("Forwarded", text="sent to the network")

TABLE: Final[Mapping[tuple[RecipientState, Cause], Status]] = MappingProxyType(
    {
        (S.RETRIEVED, Cause.NONE): _same("Retrieved"),
        (S.REJECTED, Cause.RECIPIENT): _same(
            "Rejected", mm4_extension="Rejection-By-MMS-Recipient", mm7_extension="RejectionByMMSRecipient"
        ),
        (S.REJECTED, Cause.OTHER_RS): _same(
            "Rejected",
            mm1="Unreachable",
            mm1_older="Indeterminate",
            mm4_extension="Rejection-by-Other-RS",
            mm7_extension="RejectionByOtherRS",
        ),
        (S.UNREACHABLE, Cause.US): _same("Rejected", mm1="Unreachable", mm1_older="Indeterminate"),
        (S.CONDITION_NOT_MET, Cause.NONE): Status("", "", "", "DeliveryConditionNotMet", "Rejected"),
        (S.UNRECOGNISED, Cause.NONE): _same(
            "Unrecognised", mm1="Indeterminate", mm1_older="Indeterminate", mm7_rel5="Indeterminate"
        ),
        (S.EXPIRED, Cause.NONE): _same("Expired"),
        (S.FORWARDED, Cause.NONE): _same("Forwarded", mm1_older="Indeterminate"),
        (S.INDETERMINATE, Cause.NONE): _same("Indeterminate"),
        (S.INDETERMINATE, Cause.WEB_LINK): _same("Indeterminate", text="web link sent by SMS"),
        (S.DEFERRED, Cause.NONE): _same("Deferred", mm7_rel5=""),
        (S.LINK_VIEWED, Cause.WEB_LINK): _same("Retrieved", text="web link"),
    }
)


def status_of(state: RecipientState, cause: Cause = Cause.NONE) -> Status:
    """The row for a state and its cause; `SILENT` where nothing is ever reported."""
    row = TABLE.get((state, cause))
    if row is not None:
        return row
    for (listed, _), status in TABLE.items():
        if listed is state:
            return status
    return SILENT


class NoReport(StrEnum):
    """Why an end, or a read report, is not told, as `recipient.moved` and `mm.read` say. Where the originator has no
    address, they say whose."""

    NOT_ASKED = "no report was asked for"
    NOT_ALLOWED = "the recipient allows no report"
    CLASS_AUTO = "class Auto has no reports"
    NOT_ACKNOWLEDGED = "never acknowledged, which is not reported here"
    READ_NOT_ASKED = "no read report was asked for"
    READ_TOO_OLD = "the originator's handset speaks MMS 1.0, which has no read report"


NO_READ_REPORT_BEFORE: Final = 0x11  # m-read-orig-ind came with MMS 1.1 (OMA-TS-MMS_ENC 6.6)


def is_automatic(message_class: str) -> bool:
    """Class Auto: no reports about it (OMA-TS-MMS_ENC 7.3.27)."""
    return message_class.lower() == "auto"


def told_status_of(state: RecipientState, cause: Cause = Cause.NONE) -> Status:
    """The row for a report that was owed: also that another system took the MM, which only a dialect reports."""
    return _SENT_TO_THE_NETWORK if state is S.RELAYED else status_of(state, cause)


def report_is_due(
    state: RecipientState,
    *,
    asked: bool,
    message_class: str,
    report_allowed: bool,
    deferred_too: bool,
    relayed_too: bool = False,
) -> bool:
    """Whether this state is told to the originator at all.

    None for class Auto (OMA-TS-MMS_ENC 7.3.27: no reports for automatic messages), none when the recipient forbade it
    (X-Mms-Report-Allowed), none for states that are not final, except Deferred, and
    that another system took the MM, where the originator's profile asks.
    """
    if not asked or not report_allowed or is_automatic(message_class) or state is S.CANCELLED:
        return False
    return state in FINAL or (state is S.DEFERRED and deferred_too) or (state is S.RELAYED and relayed_too)
