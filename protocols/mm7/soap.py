"""SOAP 1.1 around MM7 (TS 23.140 8.7.8; SOAP 1.1 clause 4): the envelope, safely parsed, and the errors that know
their answer."""

import codecs
import re
from functools import lru_cache
from typing import Final

from lxml import etree

from protocols.errors import DecodeError
from protocols.mm7.namespaces import ENVELOPE, LATEST, Dialect, dialect
from protocols.mm7.status import StatusCode
from protocols.records import record

_OLD_ENVELOPE: Final = "http://schemas.xmlsoap.org/soap/soap-envelope"
_ACTORS: Final = ("", "http://schemas.xmlsoap.org/soap/actor/next")  # us, or whoever is next: us, too (SOAP 1.1 4.2.2)
_READ_AS_THEY_SAY: Final = (  # marks of UTF-16; and how most declare themselves
    codecs.BOM_UTF16_LE,
    codecs.BOM_UTF16_BE,
    b'<?xml version="1.0" encoding="UTF-8"',
    b'<?xml version="1.0" encoding="utf-8"',
)
_DECLARED: Final = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_DECLARATION_OCTETS: Final = 200  # a declaration stands within these
_WIDER: Final = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "utf-16-le": "utf-16le",
    "utf-16-be": "utf-16be",
}
MAXIMUM_XML_OCTETS: Final = 1024 * 1024
MAXIMUM_MARKUP: Final = 10_000  # of "<" and "=": tags and attributes, each of which costs a microsecond somewhere
_BEGINNING_OCTETS: Final = 16 * 1024  # of XML that is too long: they are looked at to answer it
_LONGEST_REASON: Final = 1000  # characters: it goes into the answer, and quotes what the sender wrote
_LONGEST_REMEMBERED_TAG: Final = 256  # characters
_USUAL_ROOT: Final = f"{{{ENVELOPE}}}Envelope"
_USUAL_HEADER: Final = f"{{{ENVELOPE}}}Header"
_USUAL_BODY: Final = f"{{{ENVELOPE}}}Body"
_LATEST_DIALECT: Final = Dialect(LATEST, is_rel5=False, plain_sender_address=False, report_date_element="Date")


class Mm7Error(DecodeError):
    """A request that cannot be served. It knows its StatusCode, where the fault lies, and what to echo."""

    def __init__(
        self,
        status: StatusCode,
        *,
        where: str,
        why: str,
        clause: str = "TS 23.140 8.7.8",
        fault_code: str = "",
        transaction_id: str = "",
        spoken: Dialect = _LATEST_DIALECT,
        mm7_version: str = "",
    ) -> None:
        where, why = _short(where), _short(why)
        super().__init__(f"{where}: {why}", clause=clause)
        self.status = status
        self.where = where
        self.reason = why
        self.fault_code = fault_code or status.fault_code
        self.transaction_id = transaction_id
        self.dialect = spoken
        self.mm7_version = mm7_version or spoken.version


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else text[:_LONGEST_REASON] + "..."


@record(frozen=True, slots=True)
class Opened:
    """An envelope taken apart: the transaction id, the dialect, the body's child, the namespace of the envelope, and
    what that of TransactionID means, None without one."""

    transaction_id: str
    dialect: Dialect
    operation: str
    element: etree._Element
    envelope_namespace: str = ENVELOPE
    header_dialect: Dialect | None = None


def local_name(element: etree._Element) -> str:
    """The name without its namespace; "" for comments and processing instructions."""
    tag: object = element.tag  # a function for comments, whatever the type says
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def namespace_of(element: etree._Element) -> str:
    """The namespace, "" for none."""
    tag: object = element.tag
    return tag[1:].partition("}")[0] if isinstance(tag, str) and tag.startswith("{") else ""


@lru_cache(maxsize=16)
def _parser(encoding: str | None) -> etree.XMLParser:
    """Raises LookupError for an unknown encoding."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,  # else a comment inside a number would cut it
        remove_pis=True,
        encoding=encoding,
    )


def parse_xml(octets: bytes, charset: str = "") -> etree._Element:
    """The root element. No DTD, no entities, no network, bounded depth and size. Raises Mm7Error: 3002 for more than we
    read, 2007 for what is no XML."""
    if len(octets) > MAXIMUM_MARKUP:  # fewer cannot hold so much
        _check_size(octets, charset)
    octets = octets.lstrip()
    try:
        root = etree.fromstring(octets, _parser(_encoding(octets, charset)))
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        text = str(error) or "not well-formed"
        raise Mm7Error(StatusCode.MESSAGE_FORMAT_CORRUPT, where="SOAP part", why=f"not XML: {text}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Mm7Error(StatusCode.MESSAGE_FORMAT_CORRUPT, where="SOAP part", why="a DOCTYPE is refused")
    return root


def _check_size(octets: bytes, charset: str) -> None:
    """Refuse what would keep everybody else waiting: 100,000 recipients, or as many attributes."""
    if len(octets) > MAXIMUM_XML_OCTETS:
        why = f"XML of {len(octets)} octets, the limit is {MAXIMUM_XML_OCTETS}"
    else:
        markup = octets.count(b"<") + octets.count(b"=")
        if markup <= MAXIMUM_MARKUP:
            return
        why = f"XML with {markup} tags and attributes, the limit is {MAXIMUM_MARKUP}"
    raise _too_much(why, _beginning(octets, charset))  # no name for it here: it would keep itself and the octets alive


def _too_much(why: str, opened: Opened | None) -> Mm7Error:
    if opened is None:
        return Mm7Error(StatusCode.MESSAGE_REJECTED, where="SOAP part", why=why)
    return Mm7Error(
        StatusCode.MESSAGE_REJECTED,
        where=opened.operation,
        why=f"SOAP part: {why}",
        transaction_id=opened.transaction_id,
        spoken=opened.dialect,
    )


def _beginning(octets: bytes, charset: str) -> Opened | None:
    """What the first octets say of an envelope whose end is not read: its answer echoes the TransactionID (8.7.8)."""
    first = octets[:_BEGINNING_OCTETS].lstrip()
    try:
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, recover=True, encoding=_encoding(first, charset)
        )
        root = etree.fromstring(first, parser)
        return None if root is None else open_envelope(root)
    except (etree.XMLSyntaxError, ValueError, LookupError, Mm7Error):
        return None


def _encoding(octets: bytes, charset: str) -> str | None:
    """What to read the XML with, None for what it says itself: a mark of UTF-16 is surest, then the declaration, then
    the part's charset (RFC 7303 3). Peers say the old name of a character set and send the new one's letters."""
    if octets.startswith(_READ_AS_THEY_SAY):
        return None
    declared = _DECLARED.match(octets, 0, _DECLARATION_OCTETS)
    if declared is not None:
        return _WIDER.get(declared[1].decode("ascii").lower())
    return _WIDER.get(charset.lower()) or charset or None


def open_envelope(root: etree._Element) -> Opened:
    """Take an envelope apart. Raises Mm7Error with the fault code that SOAP 1.1 4.4.1 wants."""
    return _open_usual(root) or _open_any(root)


def _open_usual(root: etree._Element) -> Opened | None:
    """The envelope that nearly every request has, None for another: a TransactionID and one element, in one namespace
    of MM7. Nothing in it can be wrong, and it is opened in a third of the time."""
    if root.tag != _USUAL_ROOT or len(root) != 2:
        return None
    header, body = root[0], root[1]
    if header.tag != _USUAL_HEADER or body.tag != _USUAL_BODY or len(header) != 1 or len(body) != 1:
        return None
    transaction, element = header[0], body[0]
    known = _usual(element.tag)
    if known is None or transaction.tag != known[0]:
        return None
    return Opened((transaction.text or "").strip(), known[1], known[2], element, ENVELOPE, known[1])


def _usual(tag: object) -> tuple[str, Dialect, str] | None:
    """(tag of its TransactionID, dialect, operation) of the tag of Body's child, which is a function for a comment."""
    return _remembered_usual(tag) if isinstance(tag, str) and len(tag) <= _LONGEST_REMEMBERED_TAG else None


@lru_cache(maxsize=64)
def _remembered_usual(tag: str) -> tuple[str, Dialect, str] | None:
    namespace, brace, operation = tag.partition("}")
    spoken = None if "}" in operation else dialect(namespace.removeprefix("{"))
    return None if spoken is None else (f"{namespace}{brace}TransactionID", spoken, operation)


def _open_any(root: etree._Element) -> Opened:
    """Whatever stands where."""
    if local_name(root) != "Envelope":
        why = f"the root is {local_name(root)}, not Envelope"
        raise Mm7Error(StatusCode.MESSAGE_FORMAT_CORRUPT, where="SOAP part", why=why)
    envelope = namespace_of(root)
    header, body = _first_of_each(root, "Header", "Body")
    blocks = () if header is None else tuple(header)  # kept: each walk would make its elements anew
    transaction_id, header_dialect = _transaction(blocks)
    if envelope not in (ENVELOPE, _OLD_ENVELOPE):
        raise Mm7Error(
            StatusCode.VALIDATION_ERROR,
            where="Envelope",
            why=f"envelope namespace {envelope}",
            fault_code="VersionMismatch",
            clause="SOAP 1.1 4.4",
            transaction_id=transaction_id,
            spoken=header_dialect or _LATEST_DIALECT,
        )
    elements = [] if body is None else [one for one in body if local_name(one)]
    spoken = (dialect(namespace_of(elements[0])) if elements else None) or header_dialect
    echo = spoken or _LATEST_DIALECT
    _check_understood(blocks, envelope, transaction_id, echo)
    if not elements:
        raise Mm7Error(
            StatusCode.VALIDATION_ERROR, where="Body", why="it is empty", transaction_id=transaction_id, spoken=echo
        )
    operation = local_name(elements[0])
    if any(local_name(one) == operation for one in elements[1:]):  # and only one answer
        why = f"more than one {operation}"
        raise Mm7Error(StatusCode.VALIDATION_ERROR, where="Body", why=why, transaction_id=transaction_id, spoken=echo)
    if spoken is None and operation == "Fault":
        spoken = _of_fault(elements[0])
    if spoken is None:
        why = f"{operation} in namespace {namespace_of(elements[0]) or '(none)'}"
        raise Mm7Error(
            StatusCode.UNSUPPORTED_VERSION, where="Body", why=why, transaction_id=transaction_id, spoken=echo
        )
    return Opened(transaction_id, spoken, operation, elements[0], envelope, header_dialect)


def _of_fault(fault: etree._Element) -> Dialect:
    """A Fault about an unreadable request echoes no TransactionID: its detail says the namespace."""
    found = (dialect(namespace_of(one)) for one in fault.iter())
    return next((one for one in found if one is not None), _LATEST_DIALECT)


def _first_of_each(
    element: etree._Element, one: str, other: str
) -> tuple[etree._Element | None, etree._Element | None]:
    """The first child of either name."""
    found: dict[str, etree._Element] = {}
    for child in element:
        found.setdefault(local_name(child), child)
    return found.get(one), found.get(other)


def _transaction(blocks: tuple[etree._Element, ...]) -> tuple[str, Dialect | None]:
    for one in blocks:
        if local_name(one) == "TransactionID":
            return (one.text or "").strip(), dialect(namespace_of(one))
    return "", None


def _check_understood(blocks: tuple[etree._Element, ...], envelope: str, transaction_id: str, spoken: Dialect) -> None:
    for one in blocks:
        name = local_name(one)
        if name in ("", "TransactionID"):
            continue
        must = one.get(f"{{{envelope}}}mustUnderstand", "0").strip() in ("1", "true")
        ours = one.get(f"{{{envelope}}}actor", "").strip() in _ACTORS
        if must and ours:
            raise Mm7Error(
                StatusCode.VALIDATION_ERROR,
                where=f"Header/{name}",
                why="mustUnderstand, and it is not understood",
                clause="SOAP 1.1 4.2.3",
                fault_code="MustUnderstand",
                transaction_id=transaction_id,
                spoken=spoken,
            )
