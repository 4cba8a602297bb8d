"""Options for the fields of PDUs that several commands of `mmsc handset` set (OMA-TS-MMS_ENC 7.3)."""

from collections.abc import Mapping
from typing import Any, Final

from mmsc.cli.handset_options import Recipient, When
from mmsc.cli.mm7_fields import Declared, Word
from mmsc.cli.mm7_times import FORMS
from mmsc.cli.option_groups import option
from protocols.enums import OpenEnum
from protocols.mm1 import Flagged, MmState
from protocols.mm1.enums import in_words

_ADD: Final = 0x80  # of X-Mms-MM-Flags (7.3.32)


def one_of(kind: type[OpenEnum], *names: str, about: str, **more: Any) -> Declared:
    """A field with a closed list; `member_of` finds what was chosen."""
    words = [in_words(one) for one in kind]
    return option(*names, type=Word(words), metavar=f"[{'|'.join(words)}]", help=about, **more)


def yes_no(name: str, field: str, more: str = "", negative: str = "") -> Declared:
    """A field of Yes and No that is left out unless it is said."""
    told = f"{field}{': ' if more else ''}{more}.  [default: left out]"
    return option(f"--{name}/--{negative or 'no-' + name}", default=None, help=told)


def member_of(kind: type[OpenEnum], word: str | None) -> Any:
    """The member that a word stands for, None for none."""
    return next((one for one in kind if in_words(one) == word), None)


RECIPIENTS: Final = (
    option("--to", type=Recipient(), multiple=True, help="A recipient; again for more."),
    option("--cc", type=Recipient(), multiple=True, help="A Cc recipient, likewise."),
    option("--bcc", type=Recipient(), multiple=True, help="A Bcc recipient, likewise."),
)
FROM: Final = option(
    "--from", "sender", type=Recipient(), default=None, help="From.  [default: the MMSC inserts the address]"
)
EXPIRY: Final = option("--expiry", type=When(), help=f"X-Mms-Expiry: {FORMS}.")
DELIVERY_TIME: Final = option("--delivery-time", type=When(), help="X-Mms-Delivery-Time: likewise.")
DELIVERY_REPORT: Final = yes_no("delivery-report", "X-Mms-Delivery-Report", "ask for one")
READ_REPORT: Final = yes_no("read-report", "X-Mms-Read-Report", "ask for one")
REPORT_ALLOWED: Final = yes_no("report-allowed", "X-Mms-Report-Allowed", "whether the sender may hear of it")
TRANSACTION_ID: Final = option(
    "--transaction-id", default="", help="X-Mms-Transaction-ID; the same again is a repeat.  [default: a new one]"
)
STORE: Final = (
    yes_no("store", "X-Mms-Store", "keep a copy in the sender's MMBox"),
    one_of(MmState, "--state", about="X-Mms-MM-State of the copy."),
    option("--flag", "flags", multiple=True, help="X-Mms-MM-Flags of the copy: a keyword; again for more."),
)


def stored_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """What STORE says, as fields of a PDU."""
    state = member_of(MmState, given["state"])
    return {
        "store": given["store"],
        "mm_state": () if state is None else (state,),
        "mm_flags": tuple(Flagged(_ADD, one) for one in given["flags"]),
    }
