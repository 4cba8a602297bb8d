"""Options for the elements that several MM7 requests have (TS 23.140 8.7.1, 8.7.3), and their closed lists."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import click

from mmsc.cli.mm7_content import Attachment, AttachmentType, Presentation, content_of
from mmsc.cli.mm7_times import FORMS, Time
from mmsc.cli.option_groups import F, option, under
from protocols import mime

Declared = tuple[tuple[str, ...], dict[str, Any]]
CONTENT: Final = "Content"


class Priority(StrEnum):
    """Priority."""

    LOW = "Low"
    NORMAL = "Normal"
    HIGH = "High"


class MessageClass(StrEnum):
    """MessageClass."""

    PERSONAL = "Personal"
    INFORMATIONAL = "Informational"
    ADVERTISEMENT = "Advertisement"
    AUTO = "Auto"


class ChargedParty(StrEnum):
    """ChargedParty; ThirdParty since Rel-6."""

    SENDER = "Sender"
    RECIPIENT = "Recipient"
    BOTH = "Both"
    NEITHER = "Neither"
    THIRD_PARTY = "ThirdParty"


class ContentClass(StrEnum):
    """ContentClass (TS 26.140)."""

    TEXT = "text"
    IMAGE_BASIC = "image-basic"
    IMAGE_RICH = "image-rich"
    VIDEO_BASIC = "video-basic"
    VIDEO_RICH = "video-rich"
    MEGAPIXEL = "megapixel"
    CONTENT_BASIC = "content-basic"
    CONTENT_RICH = "content-rich"


class Word(click.ParamType):  # type: ignore[type-arg] # generic in newer stubs only
    """A word of a closed list, in any letters; what is sent is as the list spells it."""

    name = "word"

    def __init__(self, words: Iterable[str]) -> None:
        self._words = tuple(map(str, words))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The list's own spelling."""
        for word in self._words:
            if word.lower() == str(value).lower():
                return word
        raise click.BadParameter(f"{value!r} is none of {', '.join(self._words)}", ctx, param)


def one_of(words: Iterable[str], *names: str, about: str) -> Declared:
    """An element with a closed list."""
    listed = tuple(map(str, words))
    return option(*names, type=Word(listed), metavar=f"[{'|'.join(listed)}]", help=about)


def flag(name: str, element: str, more: str = "", negative: str = "") -> Declared:
    """An xs:boolean that is left out unless it is said."""
    told = f"{element}{': ' if more else ''}{more}.  [default: left out]"
    return option(f"--{name}/--{negative or 'no-' + name}", default=None, help=told)


SERVICE_CODE: Final = option("--service-code", default="", help="ServiceCode: what the VAS is charged by.")
TIME_STAMP: Final = option(
    "--time-stamp", type=Time(absolute=True), default="", help="TimeStamp: an xs:dateTime, 'now' or 'now-5m'."
)
EARLIEST: Final = option(
    "--earliest", "earliest_delivery_time", type=Time(), default="", help=f"EarliestDeliveryTime: {FORMS}."
)
EXPIRY: Final = option(
    "--expiry", "expiry_date", type=Time(), default="", help="ExpiryDate: likewise, such as 'in 1d'."
)
READ_REPLY: Final = flag("read-reply", "ReadReply", "ask for a read reply")
DISTRIBUTION: Final = flag("distribution", "DistributionIndicator", "the content may be passed on")
CONTENT_CLASS: Final = one_of(ContentClass, "--content-class", about="ContentClass.")
DRM: Final = flag("drm", "DRMContent")
APPLICATION: Final = (
    option("--applic-id", default="", help="ApplicID: the application that it is for."),
    option("--reply-applic-id", default="", help="ReplyApplicID: where replies and reports go."),
    option("--aux-applic-info", default="", help="AuxApplicInfo."),
)


def content_options(command: F) -> F:
    """Files, texts and how they are sent."""
    take_files: Callable[[F], F] = click.argument("files", nargs=-1, type=AttachmentType())
    decorated = under(
        CONTENT,
        option("--text", "texts", multiple=True, help="A text part; again for a further slide."),
        option(
            "--smil",
            "presentation",
            type=PresentationType(),
            default=Presentation.AUTO.value,
            show_default=True,
            help="auto: slides are made unless a file is SMIL; none: no presentation; or the file with it.",
        ),
        option("--base64", "as_base64", is_flag=True, help="Send the parts as base64 instead of binary."),
        flag("allow-adaptations", "allowAdaptations", "the content may be changed for the terminal", "no-adaptations"),
    )
    return decorated(take_files(command))


class PresentationType(click.ParamType):  # type: ignore[type-arg] # generic in newer stubs only
    """auto, none, or a file."""

    name = "auto|none|file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word, or the file's name."""
        text = str(value)
        if text not in tuple(Presentation) and not Path(text).is_file():
            self.fail(f"{text!r} is neither auto nor none nor a file", param, ctx)
        return text


def content_from(given: Mapping[str, Any]) -> tuple[mime.OutPart | None, tuple[str, ...]]:
    """What `content_options` mean: the part and remarks about it."""
    files: tuple[Attachment, ...] = given["files"]
    texts = tuple(text for text in given["texts"] if text)
    encoding = "base64" if given["as_base64"] else "binary"
    return content_of(texts, files, given["presentation"], encoding)


def href_of(content: mime.OutPart | None) -> str:
    """What Content names (RFC 2392)."""
    return "" if content is None else f"cid:{content.content_id}"
