"""Dialect profiles: `[mm7_profile.NAME]` of the file, and the ready ones, which are tables of the same form."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec

from mmsc.settings.base import TIME_ZONE, TOLD_CODE, TOLD_HEADER, XML_NAME, XML_PATH, Hostname, Live, Section, Text
from mmsc.settings.neighbours import Rewrite, Vasp

if TYPE_CHECKING:
    from mmsc.settings.model import Settings

STANDARD: Final = "standard"
XmlName = Annotated[str, msgspec.Meta(pattern=XML_NAME)]
XmlPath = Annotated[str, msgspec.Meta(pattern=XML_PATH)]
Code = Annotated[str, msgspec.Meta(pattern=TOLD_CODE)]
Header = Annotated[str, msgspec.Meta(pattern=TOLD_HEADER)]
StatusNumber = Annotated[int, msgspec.Meta(ge=1000, le=9999)]
_OURS: Final = ("content-type", "content-length", "transfer-encoding", "host", "connection", "soapaction")
_OF_A_VASP: Final = (  # may stand in [vasp.NAME], too, and count there
    *("namespace", "mm7_version", "errors", "fault_http_status"),
    *("deliver_content", "deliver_encoding", "rewrites_out"),
)


class Mm7Profile(Section, frozen=True, kw_only=True):
    """How a VASP is written to. None is as the profile that it is based on."""

    based_on: Live[Text] = STANDARD
    # What a [vasp.NAME] may set itself.
    namespace: Live[Text | None] = None
    mm7_version: Live[Text | None] = None
    errors: Live[Literal["auto", "rsp", "fault", None]] = None
    fault_http_status: Live[Literal[200, 400, 500, None]] = None
    deliver_content: Live[Literal["related", "mixed", "single", None]] = None
    deliver_encoding: Live[Literal["binary", "base64", None]] = None
    rewrites_out: Live[tuple[Rewrite, ...] | None] = None
    # HTTP.
    soap_action: Live[Literal["quoted", "empty", "namespace", "none", None]] = None
    http_headers: Live[dict[Header, Text] | None] = None
    # The envelope.
    declaration: Live[bool | None] = None
    charset: Live[Literal["UTF-8", "GB2312", "GBK", "euc-kr", "ISO-8859-1", None]] = None
    envelope_prefix: Live[XmlName | None] = None
    must_understand_body: Live[bool | None] = None
    encoding_style: Live[bool | None] = None
    # Names.
    mm7_prefix: Live[XmlName | None] = None
    prefixed: Live[bool | None] = None
    unqualified_children: Live[bool | None] = None
    order: Live[dict[XmlName, tuple[XmlName, ...]] | None] = None
    omitted: Live[dict[XmlName, tuple[XmlName, ...]] | None] = None
    # Values.
    server_id: Live[Text | None] = None
    type_plmn: Live[bool | None] = None
    mailbox_domain: Live[Hostname | None] = None
    plain_addresses: Live[tuple[XmlPath, ...] | None] = None
    time_zone: Live[Annotated[str, msgspec.Meta(pattern=TIME_ZONE)] | None] = None
    milliseconds: Live[bool | None] = None
    encoded_subject: Live[bool | None] = None
    no_subject: Live[Text | None] = None
    ua_model: Live[bool | None] = None
    # Reports.
    report_date: Live[Literal["", "Date", "TimeStamp", None]] = None
    report_recipients: Live[bool | None] = None
    swapped_report: Live[bool | None] = None
    relayed_reports: Live[bool | None] = None
    mm_statuses: Live[dict[Text, Text] | None] = None
    status_texts: Live[dict[Text, Text] | None] = None
    status_error_codes: Live[dict[Text, Text] | None] = None
    # Errors.
    status_codes: Live[dict[Code, StatusNumber] | None] = None
    qualified_fault: Live[bool | None] = None
    fault_detail: Live[Literal["RSErrorRsp", "Status", "", None]] = None
    # Attachments.
    qualified_href: Live[bool | None] = None
    spaced_href: Live[bool | None] = None
    spaced_content: Live[bool | None] = None
    soap_content_id: Live[bool | None] = None
    bare_content_id: Live[bool | None] = None
    content_id_header: Live[Literal["Content-ID", "Content-Id", None]] = None
    capitalised_parameters: Live[bool | None] = None
    upper_case_base64: Live[bool | None] = None


@lru_cache(maxsize=1)
def ready() -> Mapping[str, Mm7Profile]:
    """The ready ones by name."""
    text = resources.files("mmsc.settings").joinpath("mm7_profiles.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["mm7_profile"], dict[str, Mm7Profile])


def values_of(vasp: Vasp, own: Mapping[str, Mm7Profile]) -> dict[str, Any]:
    """All that is not as the standard has it about what this VASP is written: its profile's, and in the keys that both
    have what it sets itself. `own` are the file's profiles."""
    found: dict[str, Any] = {}
    for profile in reversed(_chain(vasp.profile, own)):
        found |= {name: value for name, value in _set(profile) if name != "based_on"}
    return found | {name: value for name in _OF_A_VASP if (value := getattr(vasp, name))}


def _chain(name: str, own: Mapping[str, Mm7Profile]) -> list[Mm7Profile]:
    """The profile and what it is based on, as far as that is known and goes in no circle."""
    known = {**own, **ready()}
    chain: list[Mm7Profile] = []
    while name in known and known[name] not in chain:
        chain.append(known[name])
        name = known[name].based_on
    return chain


def _set(profile: Mm7Profile) -> Iterator[tuple[str, Any]]:
    for field in msgspec.structs.fields(Mm7Profile):
        value = getattr(profile, field.name)
        if value is not None:
            yield field.name, value


def set_of(profile: Mm7Profile) -> dict[str, Any]:
    """What a profile sets of its own, as JSON has it."""
    told: dict[str, Any] = msgspec.to_builtins(dict(_set(profile)))
    return {name: value for name, value in told.items() if name != "based_on"}


def profile_contradictions(settings: "Settings") -> Iterator[str]:
    """Sentences about profiles that are not there, go in a circle, or contradict themselves."""
    own = settings.mm7_profile
    for name, vasp in settings.vasp.items():
        yield from _unknown(f"vasp.{name}.profile", vasp.profile, own)
        yield from _unknown(f"vasp.{name}.deliver_profile", vasp.deliver_profile, own)
    for name, profile in own.items():
        where = f"mm7_profile.{name}"
        if name in ready() or name == STANDARD:
            yield f"{where} is a ready one: give yours another name, and base it on that"
            continue
        yield from _unknown(f"{where}.based_on", profile.based_on, own)
        if _is_circle(name, own):
            yield f"{where}.based_on leads back to itself"
        values = values_of(Vasp(profile=name), own)
        if values.get("charset", "UTF-8") != "UTF-8" and not values.get("declaration", True):
            yield f"{where} has a charset and no declaration to tell it: XML without one is UTF-8"
        if values.get("unqualified_children") and not values.get("prefixed"):
            yield f"{where}.unqualified_children needs prefixed: a default namespace holds for children, too"
        if values.get("envelope_prefix", "env") == values.get("mm7_prefix", "mm7"):
            yield f"{where}: envelope_prefix and mm7_prefix are the same"
        for header in values.get("http_headers", {}):
            if header.lower() in _OURS:
                yield f"{where}.http_headers: {header} is written by the server itself"


def _is_circle(name: str, own: Mapping[str, Mm7Profile]) -> bool:
    seen: list[str] = []
    while name in own and name not in seen:
        seen.append(name)
        name = own[name].based_on
    return name in seen


def _unknown(key: str, name: str, own: Mapping[str, Mm7Profile]) -> Iterator[str]:
    known = (STANDARD, *ready(), *own)
    if name and name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"the nearest is {near[0]}" if near else f"known: {', '.join(sorted(known))}"
        yield f"{key} = {name!r}, but there is no such profile; {hint}"
