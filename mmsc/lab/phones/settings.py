"""What a phone of the lab is told to do."""

from dataclasses import replace
from enum import StrEnum

from mmsc.lab.handset_behaviour import Behaviour, Fetching
from mmsc.lab.handset_profiles import PROFILES, Profile
from protocols.mm1 import ReadStatus
from protocols.records import record


class ReadReports(StrEnum):
    """When it sends a read report for an MM that asks for one (OMA-TS-MMS_ENC 6.6.1)."""

    NEVER = "never"
    OPENED = "opened"  # when somebody looks at the MM; when it is deleted before that, the report says so
    FETCHED = "fetched"  # at once: Read
    DELETED = "deleted"  # at once: Deleted-without-being-read


_READ: dict[ReadReports, ReadStatus] = {
    ReadReports.FETCHED: ReadStatus.READ,
    ReadReports.DELETED: ReadStatus.DELETED_WITHOUT_BEING_READ,
}
_FETCHING = {
    Fetching.IMMEDIATE: "fetches at once",
    Fetching.DEFERRED: "defers",
    Fetching.REJECT: "rejects",
    Fetching.UNRECOGNISED: "does not recognise MMs",
    Fetching.NEVER: "never answers",
    Fetching.SILENT: "fetches, answers nothing",
    Fetching.FORWARD: "forwards",
}


@record(frozen=True, slots=True, kw_only=True)
class PhoneSettings:
    """All of it can change at any time, for what comes from then on.

    `wait_seconds` of service time before it acts; where it defers, between its answer and the GET (0: when somebody
    says so). `octets_per_second`: how fast it reads (0: at once). `acknowledges` no: it fetches and never says so.
    `auto_reply`: a text that it sends back. `report_allowed`: X-Mms-Report-Allowed, None for absent. `profile`: one
    of `PROFILES`; `user_agent` and `profile_url` instead of that profile's. `coverage` no: the SMSC keeps what is for
    it, and it reaches nobody. `mms` no: a notification is an SMS that it makes nothing of. `memory_full`: it answers
    Deferred and cannot fetch."""

    on_notification: Fetching = Fetching.IMMEDIATE
    wait_seconds: float = 0
    forward_to: tuple[str, ...] = ()
    octets_per_second: int = 0
    acknowledges: bool = True
    read_report: ReadReports = ReadReports.NEVER
    auto_reply: str = ""
    report_allowed: bool | None = None
    profile: str = "lab"
    user_agent: str = ""
    profile_url: str = ""
    coverage: bool = True
    mms: bool = True
    memory_full: bool = False

    @property
    def behaviour(self) -> Behaviour:
        """As its handset is told."""
        fetching = self.on_notification
        by_hand = self.memory_full or (fetching is Fetching.DEFERRED and not self.wait_seconds)
        if self.memory_full and fetching in (Fetching.IMMEDIATE, Fetching.SILENT):
            fetching = Fetching.DEFERRED
        return Behaviour(
            fetching,
            None if by_hand else self.wait_seconds,
            self.octets_per_second,
            forward_to=self.forward_to,
            read=_READ.get(self.read_report),
            reply=self.auto_reply,
            report_allowed=self.report_allowed,
        )

    @property
    def family(self) -> Profile:
        """Its profile, with what is said otherwise."""
        found = PROFILES[self.profile]
        return replace(
            found,
            acknowledges=found.acknowledges and self.acknowledges,
            user_agent=self.user_agent or found.user_agent,
            profile_url=self.profile_url or found.profile_url,
        )

    @property
    def in_words(self) -> str:
        """What matters most about it, in a few words."""
        if not self.coverage:
            return "no coverage"
        if not self.mms:
            return "MMS off: gets links"
        if self.memory_full:
            return "memory full"
        told = [self._fetching()]
        if self.octets_per_second:
            told.append(f"slow, {self.octets_per_second / 1000:g} KB/s")
        if not self.acknowledges:
            told.append("no acknowledgement")
        version = self.family.version
        told.append(f"MMS {version >> 4}.{version & 15}")
        return ", ".join(told)

    def _fetching(self) -> str:
        words = _FETCHING[self.on_notification]
        if not self.wait_seconds:
            return words
        wait = _duration(self.wait_seconds)
        return f"{words} {wait}" if self.on_notification is Fetching.DEFERRED else f"{words} after {wait}"


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def check(settings: PhoneSettings) -> str:
    """What is wrong with it, in a sentence; "" when nothing is."""
    if settings.profile not in PROFILES:
        return f"{settings.profile!r} is no profile; there are {', '.join(PROFILES)}"
    if settings.on_notification is Fetching.FORWARD and not settings.forward_to:
        return "to forward it needs a number to forward to"
    if not 0 <= settings.wait_seconds <= 30 * 86_400:
        return "it waits 0 s to 30 d"
    if not 0 <= settings.octets_per_second <= 1_000_000_000:
        return "it reads 0 (at once) to 1,000,000,000 octets a second"
    for name in ("user_agent", "profile_url"):
        text = getattr(settings, name)
        if not (text.isascii() and text.isprintable()):
            return f"{name} is a line of US-ASCII"
    return ""
