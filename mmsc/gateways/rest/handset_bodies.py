"""What REST takes and gives about the phones of the lab."""

from typing import Annotated

import msgspec

from mmsc.control.phones import HandsetItem, HandsetLine, HandsetRow, Kind, State
from mmsc.control.waiting import LONGEST_SECONDS

_Address = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
_Addresses = Annotated[list[_Address], msgspec.Meta(max_length=100)]


class Handsets(msgspec.Struct, frozen=True):
    """All of them."""

    handsets: list[HandsetRow]


class Items(msgspec.Struct, frozen=True):
    """What is on a handset, oldest first."""

    items: list[HandsetItem]


class SentAndReceived(msgspec.Struct, frozen=True):
    """What a handset sent and received, oldest first; the last 200."""

    lines: list[HandsetLine]


class Which(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which items: of a kind, above a number."""

    kind: Kind | None = None
    after: Annotated[int, msgspec.Meta(ge=0)] = 0


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to wait for: the first item above `after` of this kind, in this state, from whoever is named (the beginning
    of `who`), whose subject or text holds `contains`. `timeout` is real time, in seconds."""

    kind: Kind = Kind.MESSAGE
    state: State | None = None
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    who: str = ""
    contains: str = ""
    timeout: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_SECONDS)] = 30.0


class HandsetWaitEnded(msgspec.Struct, frozen=True):
    """How it ended: something arrived, or the time was over (`item` is null then)."""

    reached: bool
    item: HandsetItem | None


class Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A phone for a number that is no subscriber, as +15550142."""

    number: str
    mms: bool = True


class Coverage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether it can be reached."""

    on: bool


class ReadReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a read report says: Read, or Deleted-without-being-read."""

    deleted: bool = False


class To(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who gets an MM that is passed on; `with_content`: as a new MM with its parts (m-send-req) instead of by its
    location (m-forward-req)."""

    to: Annotated[list[_Address], msgspec.Meta(min_length=1, max_length=100)]
    with_content: bool = False


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file: `data` in base64; `content_type` "" for what the name says."""

    name: str
    data: str
    content_type: str = ""


class Writing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An MM to send; a presentation is made unless a file is one."""

    to: _Addresses = []
    cc: _Addresses = []
    bcc: _Addresses = []
    subject: str = ""
    texts: list[str] = []
    files: list[File] = []
    delivery_report: bool = False
    read_report: bool = False


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer to the sender; `with_content`: with the parts of what it answers."""

    text: str = ""
    files: list[File] = []
    subject: str | None = None
    with_content: bool = False
    delivery_report: bool = False
    read_report: bool = False
