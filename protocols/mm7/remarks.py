"""What there is to remark about a message that the schema does not see: its envelope, its attachments, what its values
mean (TS 23.140 8.7.8, SOAP 1.1). Each look costs next to nothing where all is well."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from lxml import etree

from protocols.content_type import ContentType
from protocols.errors import Finding
from protocols.mime import MimePart
from protocols.mm7 import rules
from protocols.mm7.elements import children, text_of
from protocols.mm7.messages import ErrorElement, Fault, Message, Status, SubmitReq, SubmitRsp
from protocols.mm7.namespaces import BASE, ENVELOPE, PUBLISHED
from protocols.mm7.shapes import said
from protocols.mm7.soap import Opened, local_name, namespace_of

_ENCODINGS: Final = frozenset(("", "7bit", "8bit", "binary", "base64", "quoted-printable"))
_FAULT_NAMES: Final = ("faultcode", "faultstring", "detail", "faultactor")
_LONGEST_QUOTE: Final = 80  # characters


def is_plain(opened: Opened, message: Message) -> bool:
    """Whether a request is what nearly every one is, so that `of_message` has nothing to say."""
    spoken = opened.dialect
    return (
        isinstance(message, SubmitReq)
        and message.mm7_version in spoken.listed_versions
        and opened.header_dialect is spoken
        and opened.envelope_namespace == ENVELOPE
        and not spoken.suffix
        and spoken.tag in PUBLISHED
    )


def of_message(opened: Opened, message: Message) -> Iterator[Finding]:
    """Of the envelope and of values."""
    spoken = opened.dialect
    if spoken.tag not in PUBLISHED or spoken.suffix:
        yield rules.PUBLISHED.broken(f"nobody published the namespace {spoken.namespace}")
    if opened.header_dialect is not None and opened.header_dialect != spoken:
        other = opened.header_dialect.namespace.removeprefix(BASE)
        body = spoken.namespace.removeprefix(BASE)
        yield rules.TRANSACTION_NAMESPACE.broken(f"TransactionID is in {other}, {opened.operation} in {body}")
    if opened.envelope_namespace != ENVELOPE:
        yield rules.ENVELOPE.broken(f"Envelope: its namespace is {opened.envelope_namespace}")
    if message.mm7_version not in spoken.listed_versions:
        yield rules.VERSION.broken(f"MM7Version {message.mm7_version!r} is none of those of {spoken.tag}")
    if isinstance(message, Fault):
        yield from _of_fault(opened)
    status: Status | None = getattr(message, "status", None)
    if status is not None:
        yield from _of_status(opened, message, status)


def _of_fault(opened: Opened) -> Iterator[Finding]:
    for one in opened.element:
        if local_name(one) in _FAULT_NAMES and namespace_of(one):
            yield rules.FAULT_NAMES.broken(f"{said(one)}: it has the namespace {namespace_of(one)[:_LONGEST_QUOTE]}")
            break
    if error_of(opened) is None:
        yield rules.FAULT_DETAIL.broken(f"{said(opened.element)}: no RSErrorRsp or VASPErrorRsp in its detail")


def error_of(opened: Opened) -> etree._Element | None:
    """The RSErrorRsp or VASPErrorRsp of a Fault."""
    detail = children(opened.element).get("detail")
    inside = {} if detail is None else children(detail)
    return next((inside[one.value] for one in ErrorElement if one.value in inside), None)


def _of_status(opened: Opened, message: Message, status: Status) -> Iterator[Finding]:
    element = next(opened.element.iter("{*}Status"), None)
    if element is None:
        return
    names = [name for name in map(local_name, element) if name in ("StatusCode", "StatusText")]
    if names == ["StatusText", "StatusCode"]:
        yield rules.STATUS_ORDER.broken(f"{said(element)}: StatusText stands before StatusCode")
    if not status.code.is_known and status.code % 1000 < 500:
        code = children(element).get("StatusCode", element)
        yield rules.STATUS_CODE.broken(f"{said(code)}: no code of the table, and no private one")
    if isinstance(message, SubmitRsp) and status.code.is_success and not message.message_id:
        yield rules.MESSAGE_ID.broken(f"{said(opened.element)}: StatusCode {int(status.code)} without a MessageID")


def of_subject(opened: Opened) -> Iterator[Finding]:
    """Of a Subject in encoded words; to be asked only when there are some in the message."""
    subject = children(opened.element).get("Subject")
    if subject is not None and "=?" in text_of({"Subject": subject}, "Subject"):
        yield rules.SUBJECT.broken(f"{said(subject)}: encoded words of mail headers")


def of_media(media: ContentType | None) -> tuple[Finding, ...]:
    """Of the Content-Type of the HTTP request; None: it has none."""
    if media is None:
        return (rules.RELATED.broken("the message has no Content-Type"),)
    if media.media_type == "text/xml":
        return ()
    if media.media_type != "multipart/related":
        return (rules.RELATED.broken(f"Content-Type {media.media_type}"),)
    if media.get("type").lower() != "text/xml":
        return (rules.RELATED.broken(f"multipart/related with type {media.get('type')[:_LONGEST_QUOTE]!r}"),)
    return ()


@lru_cache(maxsize=64)
def _head_is_plain(headers: tuple[tuple[str, str], ...]) -> bool:
    """Whether a part has its Content-ID in brackets, and a known encoding: the heads of one sender look alike."""
    known = dict(reversed(headers))
    encoding = known.get("content-transfer-encoding", "")
    return known.get("content-id", "").startswith("<") and encoding.strip().lower() in _ENCODINGS


def _is_cid(href: str) -> bool:
    return href[:4].lower() == "cid:" and " " not in href


def of_attachments(href: str, content: MimePart | None, parts: Sequence[MimePart]) -> Iterable[Finding]:
    """Of the reference to the content, the part that was found by it, and what else is attached."""
    plain = content is not None and len(parts) == 1 and _is_cid(href)
    if plain and content is not None and _head_is_plain(content.headers):
        return ()
    return _of_content(href, content, parts)


def _of_content(href: str, content: MimePart | None, parts: Sequence[MimePart]) -> Iterator[Finding]:
    if content is not None:
        if not href:
            yield rules.REFERENCE.broken("no Content/@href: the first attachment is taken")
        elif not _is_cid(href):
            yield rules.CID.broken(f"Content/@href is {href[:_LONGEST_QUOTE]!r}, no cid: URL")
        elif not content.header("content-id").startswith("<"):
            yield rules.CID.broken(f"Content-ID {content.header('content-id')[:_LONGEST_QUOTE]!r} is not in <>")
        encoding = content.header("content-transfer-encoding")
        if encoding.strip().lower() not in _ENCODINGS:
            yield rules.TRANSFER_ENCODING.broken(f"Content-Transfer-Encoding {encoding[:_LONGEST_QUOTE]!r}")
    left_out = len(parts) - (content is not None)
    if left_out:
        remark = f"attachments that Content does not name, and that are left out: {left_out}"
        yield rules.REFERENCE.broken(remark)
