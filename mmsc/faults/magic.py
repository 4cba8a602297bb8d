"""Magic numbers: recipients whose last digits give a set outcome, so that a test suite needs neither a phone nor a
fault. This table is all there is; the console and `docs/magic-numbers.md` show it.

Nothing is ever written into a state. The lab's own handset behind such a number behaves so (`behaviour`, in the words
of `mmsc handset listen`), the built-in SMSC or a gateway does wrong (`faults`), and the outcome follows as it would in
the field. A number needs no subscriber: its prefix is ours.

*Expired* has to come without waiting for hours and without turning the clock, which others share: the MM is taken with
a validity of a second (`mm-validity`) and its handset never asks for it. It is the MM's own validity, so other
recipients of the same MM have only that second, too. `indeterminate` has no number: of a subscriber's MM that is the
outcome only where a VASP's `fallback_report` says so.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mmsc.faults.parameters import Setting
from protocols.mm7.status import TEXTS
from protocols.records import record

DIGITS: Final = 4  # of a number that are looked at
_PREFIX: Final = re.compile(r"\+[0-9]{1,14}\Z")
SLOWEST_SECONDS: Final = 60


@record(frozen=True, slots=True, kw_only=True)
class Magic:
    """What an ending stands for. `outcome` is the recipient's state in the end, or what its VASP is answered."""

    ending: str
    outcome: str
    text: str
    behaviour: str = "immediate"
    opens_link: bool = False
    faults: tuple[tuple[str, Setting], ...] = ()


def _of_mm(ending: str, outcome: str, text: str, behaviour: str = "immediate", **faults: Setting) -> Magic:
    named = tuple((name.replace("_", "-"), setting) for name, setting in faults.items())
    return Magic(ending=ending, outcome=outcome, text=text, behaviour=behaviour, faults=named)


_NO_MMS: Final = Setting(state="incapable")
_REPORTS: Final = Setting(operation="DeliveryReportReq")
_SUBMISSION: Final = Setting(operation="SubmitReq")
_ENDINGS: Final = (
    _of_mm("00", "retrieved", "fetched at once"),
    _of_mm("01", "retrieved", "fetched at once; a read report where one is asked for", "immediate+read"),
    _of_mm("02", "retrieved", "fetched after 3 s", "wait=3"),
    _of_mm(
        "03", "notified", "fetched, and never acknowledged (retrieved after unacknowledged_after_seconds)", "silent"
    ),
    _of_mm("04", "retrieved", "the first GET loses the line halfway", "cut+retry=1"),
    _of_mm("05", "retrieved", "the read report says: deleted without being read", "immediate+deleted"),
    _of_mm("06", "retrieved", "X-Mms-Report-Allowed No: no delivery report", "immediate+no-report"),
    _of_mm("80", "retrieved", "the SMSC throttles twice, then takes it", smsc_throttle=Setting(each=2)),
    _of_mm("81", "retrieved", "the SMSC's queue is full once", smsc_queue_full=Setting(each=1)),
    _of_mm(
        "82",
        "retrieved",
        "its delivery report is lost for good",
        mm7_request_never=_REPORTS,
    ),
    _of_mm(
        "83",
        "retrieved",
        "its delivery report comes twice",
        mm7_request_twice=_REPORTS,
    ),
    _of_mm(
        "84",
        "retrieved",
        "its delivery report is answered HTTP 503 once, and comes again",
        mm7_vasp_http=Setting(operation="DeliveryReportReq", each=1, status=503),
    ),
    _of_mm(
        "85",
        "retrieved",
        "SubmitReq is taken, and cut once without an answer: repeat it",
        mm7_submit_silence=Setting(operation="SubmitReq", each=1),
    ),
    _of_mm("86", "HTTP 503", "SubmitReq is answered HTTP 503", mm7_submit_http=_SUBMISSION),
    _of_mm("87", "empty", "SubmitReq is answered HTTP 200 without a body", mm7_submit_empty=_SUBMISSION),
    _of_mm("88", "garbage", "SubmitReq is answered with XML that is not well-formed", mm7_submit_garbage=_SUBMISSION),
    _of_mm("89", "other TransactionID", "SubmitRsp has another TransactionID", mm7_submit_transaction=_SUBMISSION),
    _of_mm("90", "notified", "never fetched", "never"),
    _of_mm("91", "rejected", "m-notifyresp-ind Rejected", "reject"),
    _of_mm("92", "expired", "never fetched, and kept for a second", "never", mm_validity=Setting(seconds=1.0)),
    _of_mm("93", "retrieved", "deferred, and fetched after 2 s", "deferred=2"),
    _of_mm("94", "unrecognised", "Unrecognised, both times; with the fallback on: link_sent", "unrecognised"),
    _of_mm(
        "95",
        "unreachable",
        "the SMSC does not know the number",
        smsc_status=Setting(status="ESME_RINVDSTADR"),
    ),
    _of_mm("96", "deferred", "deferred, and never fetched", "deferred"),
    _of_mm("97", "retrieved", "fetched at 4,000 octets a second", "slow=4000"),
    Magic(
        ending="98",
        outcome="link_sent",
        text="no MMS: an SMS with a link, which nobody opens",
        behaviour="never",
        faults=(("capability-verdict", _NO_MMS),),
    ),
    Magic(
        ending="99",
        outcome="link_viewed",
        text="no MMS: an SMS with a link, which is opened",
        behaviour="never",
        opens_link=True,
        faults=(("capability-verdict", _NO_MMS),),
    ),
)


def _status(code: int) -> Magic:
    told = f"{code} {TEXTS[code]}"
    text = "SubmitRsp; " + ("the MM is taken" if code < 2000 else "nothing is taken")
    given = Setting(operation="SubmitReq", status=code)
    return Magic(ending=str(code), outcome=told, text=text, faults=(("mm7-submit-status", given),))


def _slow(seconds: int) -> Magic:
    given = Setting(operation="SubmitReq", seconds=float(seconds))
    return Magic(
        ending=f"70{seconds:02d}",
        outcome="retrieved",
        text=f"SubmitRsp comes after {seconds} s",
        faults=(("mm7-submit-slow", given),),
    )


BY_TWO: Final[Mapping[str, Magic]] = MappingProxyType({one.ending: one for one in _ENDINGS})
BY_STATUS: Final[Mapping[str, Magic]] = MappingProxyType({str(code): _status(code) for code in TEXTS if code != 1000})
BY_SECONDS: Final[Mapping[str, Magic]] = MappingProxyType(
    {one.ending: one for one in map(_slow, range(1, SLOWEST_SECONDS + 1))}
)
ROWS: Final = (*BY_TWO.values(), *BY_STATUS.values())  # and 70SS, for all seconds


class MagicTable:
    """The numbers under one prefix. `of` looks at the last four digits, then at the last two; what ends otherwise is
    an ordinary phone that fetches at once."""

    def __init__(self, prefix: str) -> None:
        """ValueError for what is no prefix of a number."""
        if not _PREFIX.match(prefix):
            raise ValueError(f"{prefix[:40]!r} is no + and digits")
        self.prefix = prefix
        self._digits = prefix[1:].encode()

    def of(self, number: str) -> Magic | None:
        """None for numbers that do not begin so."""
        bare = number if number.startswith("+") else f"+{number}"
        if not bare.startswith(self.prefix) or len(bare) < len(self.prefix) + DIGITS:
            return None
        four = bare[-DIGITS:]
        return BY_STATUS.get(four) or BY_SECONDS.get(four) or BY_TWO.get(four[-2:]) or BY_TWO["00"]

    def mentioned_in(self, octets: bytes) -> bool:
        """Whether a number of these may stand in a request as text."""
        return self._digits in octets or self._digits[1:] in octets  # a national number has no country code

    def example(self, magic: Magic) -> str:
        """A number with this ending."""
        return f"{self.prefix}{'0' * max(0, 11 - len(self.prefix) + 1 - len(magic.ending))}{magic.ending}"
