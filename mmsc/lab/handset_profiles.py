"""Handsets by family: what each says of itself, and what it does that others do not.

Families are named as the fact sheets name them: the reader of the open Android stack, that of the desktop daemon, and
habits that networks meet. No profile stands for a product; User-Agents and profile addresses are invented.
"""

from typing import Final

from mmsc.lab.readers import Reading
from protocols.mm1 import VERSION_1_0, VERSION_1_1, VERSION_1_2, VERSION_1_3
from protocols.records import record
from protocols.wsp.push import MMS_MESSAGE

_ACCEPT: Final = ("*/*", MMS_MESSAGE)
_TYPES: Final = (
    *("image/jpeg", "image/gif", "image/png", "audio/amr", "video/3gpp", "text/plain", "application/smil"),
    *("application/vnd.wap.multipart.mixed", "application/vnd.wap.multipart.related", MMS_MESSAGE),
)


@record(frozen=True, slots=True)
class Profile:
    """A family. `version` as 0x12 for 1.2; `profile_url` goes into x-wap-profile; `maximum_octets` is the largest MM
    that it takes (0: any): a larger one is deferred.

    `appends_transaction_id`: the GET goes to Content-Location with the Transaction-ID behind it; `answers_to_location`:
    m-notifyresp-ind and m-acknowledge-ind are posted to the Content-Location; `acknowledges` no: it fetches and never
    answers; `refetches`: a notification that comes again is fetched again although it was handled."""

    name: str
    about: str
    version: int = VERSION_1_2
    user_agent: str = "LabHandset/1.0"
    profile_url: str = ""
    accept: tuple[str, ...] = _ACCEPT
    maximum_octets: int = 0
    reading: Reading = Reading.LENIENT
    appends_transaction_id: bool = False
    answers_to_location: bool = False
    acknowledges: bool = True
    refetches: bool = False


LAB: Final = Profile("lab", "MMS 1.2, reads what can be read")
PROFILES: Final = {
    one.name: one
    for one in (
        LAB,
        Profile(
            "lab-1.0",
            "MMS 1.0: 30 KB, four types",
            version=VERSION_1_0,
            user_agent="LabHandset/1.0 MMS/1.0",
            accept=("image/jpeg", "image/gif", "text/plain", MMS_MESSAGE),
            maximum_octets=30 * 1024,
        ),
        Profile(
            "lab-1.1",
            "MMS 1.1: 100 KB, a list of types, a UAProf",
            version=VERSION_1_1,
            user_agent="LabHandset/1.0 MMS/1.1",
            profile_url="http://uaprof.example/lab-1.1.xml",
            accept=_TYPES,
            maximum_octets=100 * 1024,
        ),
        Profile(
            "lab-1.3",
            "MMS 1.3, with a UAProf",
            version=VERSION_1_3,
            user_agent="LabHandset/1.0 MMS/1.3",
            profile_url="http://uaprof.example/lab-1.3.xml",
        ),
        Profile(
            "aosp",
            "MMS 1.2, reads as the open Android stack does: what that drops is dropped",
            user_agent="LabHandset/1.0 aosp",
            profile_url="http://uaprof.example/aosp.xml",
            accept=(*_ACCEPT, "application/vnd.wap.sic"),
            reading=Reading.AOSP,
        ),
        Profile(
            "aosp-append",
            "as aosp, with the carrier setting that appends the Transaction-ID to the address",
            user_agent="LabHandset/1.0 aosp",
            profile_url="http://uaprof.example/aosp.xml",
            accept=(*_ACCEPT, "application/vnd.wap.sic"),
            reading=Reading.AOSP,
            appends_transaction_id=True,
        ),
        Profile(
            "mmsd",
            "MMS 1.2, reads as the desktop daemon does: strict about order and statuses",
            user_agent="LabHandset/1.0 mmsd",
            reading=Reading.MMSD,
        ),
        Profile(
            "answers-location",
            "posts its answers to the Content-Location instead of the MMSC's address",
            answers_to_location=True,
        ),
        Profile("unacknowledging", "fetches, and never says so", acknowledges=False),
        Profile("forgetful", "fetches a notification that comes again as often as it comes", refetches=True),
    )
}


def profile_named(name: str) -> Profile:
    """Raises ValueError, which names those there are."""
    if name not in PROFILES:
        raise ValueError(f"{name!r} is no profile; there are {', '.join(PROFILES)}")
    return PROFILES[name]
