"""The namespaces of MM7 and what differs between them (TS 23.140 8.7.8 and its XML annex)."""

from functools import lru_cache
from typing import Final

from protocols.records import record

BASE: Final = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/"
ENVELOPE: Final = "http://schemas.xmlsoap.org/soap/envelope/"
LATEST: Final = "REL-6-MM7-1-4"
TAGS: Final = (
    "REL-5-MM7-1-0",
    "REL-5-MM7-1-1",
    "REL-5-MM7-1-2",
    "REL-5-MM7-1-3",
    "REL-5-MM7-1-4",
    "REL-5-MM7-1-5",
    "REL-6-MM7-1-0",
    "REL-6-MM7-1-1",
    "REL-6-MM7-1-2",
    "REL-6-MM7-1-3",
    LATEST,
)
PUBLISHED: Final = frozenset(TAGS)
_LONGEST_TAG: Final = 64  # characters: it is remembered, stored with its MM, and written twice into each answer
_VERSIONS: Final = {
    "REL-5-MM7-1-0": "5.3.0",
    "REL-5-MM7-1-1": "5.5.0",
    "REL-5-MM7-1-2": "5.6.0",
    "REL-5-MM7-1-3": "5.8.0",
    "REL-5-MM7-1-4": "5.10.0",
    "REL-5-MM7-1-5": "5.10.0",
    "REL-6-MM7-1-0": "6.3.0",
    "REL-6-MM7-1-1": "6.4.0",
    "REL-6-MM7-1-2": "6.5.0",
    "REL-6-MM7-1-3": "6.6.0",
    LATEST: "6.8.0",
}
_LISTED_REL5: Final = frozenset(("5.3.0", "5.5.0", "5.6.0", "5.8.0", "5.10.0"))
LISTED: Final = _LISTED_REL5 | {"6.3.0", "6.4.0", "6.5.0", "6.6.0", "6.8.0"}


@record(frozen=True, slots=True)
class Dialect:
    """What a namespace spells differently."""

    tag: str
    is_rel5: bool
    plain_sender_address: bool  # SenderAddress holds text, not one Number, RFC2822Address or ShortCode
    report_date_element: str
    protects_distribution: bool = False  # DistributionProtection: by its name the opposite (unconfirmed)
    suffix: str = ""  # some senders end the name with ".xsd", and want it back so

    @property
    def namespace(self) -> str:
        """The whole name, as the neighbour wrote it."""
        return f"{BASE}{self.tag}{self.suffix}"

    @property
    def has_extended(self) -> bool:
        """Whether there are extendedCancelReq and extendedReplaceReq (which minor brought them is unconfirmed)."""
        return not self.is_rel5 and self.tag != "REL-6-MM7-1-0"

    @property
    def answers_service_code(self) -> bool:
        """Whether a DeliverRsp has a ServiceCode."""
        return self.tag != "REL-5-MM7-1-0"

    @property
    def listed_versions(self) -> frozenset[str]:
        """The values of MM7Version that the release of the namespace knows (which of them its schema lists is
        unconfirmed)."""
        return _LISTED_REL5 if self.is_rel5 else LISTED

    @property
    def version(self) -> str:
        """The MM7Version that goes with it when the neighbour named none."""
        return _VERSIONS.get(self.tag, "6.8.0")


def dialect(namespace: str) -> Dialect | None:
    """The dialect of a namespace, None when it is no MM7 namespace. Tags that nobody published are read like the
    latest of their release, unless they are longer than a name."""
    if not namespace.startswith(BASE) or len(namespace) > len(BASE) + _LONGEST_TAG:
        return None
    return _dialect_of(namespace.removeprefix(BASE))


@lru_cache(maxsize=256)
def _dialect_of(name: str) -> Dialect | None:
    tag = name.removesuffix(".xsd")
    if not tag.startswith(("REL-5-MM7-", "REL-6-MM7-", "REL-7-MM7-")):
        return None
    is_rel5 = tag.startswith("REL-5-")
    plain = tag in ("REL-5-MM7-1-0", "REL-5-MM7-1-1")
    date = "TimeStamp" if is_rel5 or tag == "REL-6-MM7-1-0" else "Date"
    return Dialect(tag, is_rel5, plain, date, tag == "REL-5-MM7-1-0", suffix=name.removeprefix(tag))
