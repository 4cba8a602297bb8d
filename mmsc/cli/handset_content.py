"""Files and texts to the body of an MM1 PDU: a binary multipart (WAP-230-WSP 8.5), with a presentation or without."""

from collections.abc import Mapping
from typing import Any, Final

from mmsc.cli.mm7_content import AttachmentType, Presentation, missing, parts_of
from mmsc.cli.mm7_fields import PresentationType
from mmsc.cli.mm7_request import note
from mmsc.cli.option_groups import F, option, under
from mmsc.lab.mm7_content import is_smil
from protocols.content_type import ContentType
from protocols.wsp.multipart import Part

_MIXED: Final = ContentType("application/vnd.wap.multipart.mixed")
_RELATED: Final = "application/vnd.wap.multipart.related"


def content_options(command: F) -> F:
    """Files, texts and a presentation."""
    import click

    decorated = under(
        "Content",
        option("--text", "texts", multiple=True, help="A text part; again for a further slide."),
        option(
            "--smil",
            "presentation",
            type=PresentationType(),
            default=Presentation.AUTO.value,
            show_default=True,
            help="auto: slides are made unless a file is SMIL; none: no presentation; or the file with it.",
        ),
    )
    with_files: F = decorated(click.argument("files", nargs=-1, type=AttachmentType())(command))
    return with_files


def content_of(given: Mapping[str, Any]) -> tuple[list[Part], ContentType]:
    """The parts and the type of what holds them. What is odd is noted. Raises UsageError."""
    texts = tuple(text for text in given["texts"] if text)
    parts = parts_of(texts, given["files"], given["presentation"])
    for remark in missing(parts):
        note(remark)
    root = next(filter(is_smil, parts), None)
    made = [Part(one.content_type, one.data, one.content_id, one.content_location) for one in parts]
    if root is None:
        return made, _MIXED
    media = root.content_type.media_type
    return made, ContentType(_RELATED, (("type", media), ("start", f"<{root.content_id}>")))
