"""What somebody typed: one draft for every interface, each takes what it has words for."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from mmsc.lab.mm7_content import presentation_of
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.mime import OutPart

MAXIMUM_ATTACHMENTS: Final = 20
MAXIMUM_ADDRESSES: Final = 1000
_PLAIN: Final = ContentType("text/plain", (("charset", "utf-8"),))

Text = Annotated[str, msgspec.Meta(max_length=4000)]
Addresses = Annotated[list[Text], msgspec.Meta(max_length=MAXIMUM_ADDRESSES)]


class BadDraft(Exception):
    """It cannot be written at all: `field` is what it is about."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


class As(StrEnum):
    """Whom to send as."""

    MM7 = "mm7"
    MM1 = "mm1"
    MM4 = "mm4"
    REST = "rest"


class Attachment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file: its name, its media type, its octets in base64."""

    name: Text = ""
    content_type: Text = "application/octet-stream"
    content_base64: str = ""

    def octets(self) -> bytes:
        """Raises BadDraft."""
        try:
            return base64.b64decode(self.content_base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadDraft("attachments", f"{self.name or 'one'}: {error}") from error


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An MM to be sent. Addresses are +NUMBER, MAIL@DOMAIN or a short code; times as the interface writes them (MM7:
    xs:dateTime or xs:duration; MM1, MM4: seconds from now, or an ISO time). "" leaves an element out; `delivery_report`
    and `read_report` are "true", "false", "" or, on purpose, anything else where it can be written."""

    sender: Text = ""
    to: Addresses = []
    cc: Addresses = []
    bcc: Addresses = []
    subject: Text = ""
    text: Annotated[str, msgspec.Meta(max_length=100_000)] = ""
    attachments: Annotated[list[Attachment], msgspec.Meta(max_length=MAXIMUM_ATTACHMENTS)] = []
    presentation: bool = True  # slides are made for what is there
    message_class: Text = ""
    priority: Text = ""
    delivery_report: Text = "true"
    read_report: Text = ""
    expiry: Text = ""
    earliest: Text = ""
    transaction_id: Text = ""  # "": a new one
    run: Text = ""  # X-MMSC-Run
    url: Text = ""  # "": this server
    vasp: Text = ""  # MM7: whose login is used, as this server knows it
    password: Text = ""  # of that VASP, where it is not one of the settings
    vasp_id: Text = ""
    vas_id: Text = ""
    namespace: Text = ""
    mm7_version: Text = ""
    service_code: Text = ""
    linked_id: Text = ""
    number: Text = ""  # MM1: the handset
    user_agent: Text = ""
    mms_version: Text = "1.3"
    peer: Text = ""  # MM4: as which MMSC, its domain
    message_id: Text = ""  # MM4: "": a new one
    ack_request: Text = "true"


def parts_of(draft: Draft, encoding: str = "binary") -> list[OutPart]:
    """The parts, the presentation first. Raises BadDraft."""
    parts = list(_attached(draft.attachments, encoding))
    if draft.text:
        parts.append(OutPart(_PLAIN, draft.text.encode("utf-8", "replace"), "text", "text.txt", encoding))
    if parts and draft.presentation and not any(one.content_type.media_type == "application/smil" for one in parts):
        parts.insert(0, presentation_of(parts, encoding))
    return parts


def _attached(attachments: Sequence[Attachment], encoding: str) -> Iterator[OutPart]:
    for number, one in enumerate(attachments, 1):
        try:
            media = ContentType.parse(one.content_type)
        except DecodeError as error:
            raise BadDraft("attachments", f"{one.content_type!r} is no media type: {error.why}") from error
        yield OutPart(media, one.octets(), f"file{number}", one.name or f"file{number}", encoding)


def flag(text: str, field: str) -> bool | None:
    """A yes or no that the protocol writes as such. Raises BadDraft for other words."""
    value = {"": None, "true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in value:
        raise BadDraft(field, f"{text!r} cannot be written here: true, false or nothing")
    return value[text.lower()]
