"""MM7 messages in somebody's style: what the exact writers wrote is taken apart and written again (TS 23.140 8.7.8).

The standard never comes this way, so it costs nothing there; and a style knows every operation, because it changes what
all of them are made of.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from xml.sax.saxutils import quoteattr

from lxml import etree

from protocols import mime
from protocols.content_type import ContentType
from protocols.header_fields import encode_words
from protocols.mm7.namespaces import ENVELOPE
from protocols.mm7.pieces import clean, quoted
from protocols.mm7.soap import local_name, namespace_of
from protocols.mm7.styles import Names, Style, Words

_TIMES: Final = ("Date", "TimeStamp", "DateTime")
_ADDRESSES: Final = ("Number", "ShortCode", "RFC2822Address")
_REPORTS: Final = ("DeliveryReportReq", "ReadReplyReq")
_BEHIND_SUBJECT: Final = ("ApplicID", "ReplyApplicID", "AuxApplicInfo", "UACapabilities", "Content")
_PARAMETERS: Final = {name: name.capitalize() for name in ("type", "start", "name")}
_UTC: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_BRACKETS: Final = re.compile(rb"(?mi)^(Content-ID:\s)<([^\r\n]*)>(?=\r$)")
_SOAP_ID: Final = "mm7-soap"


def content_type(style: Style) -> str:
    """The Content-Type of SOAP in this style."""
    return f'text/xml; charset="{style.charset.lower()}"'


def respelled(soap: bytes, style: Style) -> bytes:
    """What the standard's writer wrote, in this style."""
    root = etree.fromstring(soap)
    body = root.find(f"{{{ENVELOPE}}}Body")
    assert body is not None, "the writer writes a Body"
    _restyle(body[0], style)
    declaration = f'<?xml version="1.0" encoding="{style.charset}"?>\n' if style.declaration else ""
    text = declaration + "".join(_written(root, style))
    return text.encode(style.charset, "xmlcharrefreplace")


def with_content(soap: bytes, content: mime.OutPart, seed: str, style: Style) -> tuple[str, bytes]:
    """(HTTP Content-Type, body) of SOAP and its content part."""
    root = mime.OutPart(
        ContentType("text/xml", (("charset", style.charset.lower()),)),
        respelled(soap, style),
        content_id=_SOAP_ID if style.soap_content_id else "",
        encoding="8bit",
    )
    parts = (root, content)
    boundary = mime.choose_boundary(parts, seed)
    names = _PARAMETERS if style.capitalised_parameters else {}
    start = f'; {names.get("start", "start")}="<{_SOAP_ID}>"' if style.soap_content_id else ""
    media = f'multipart/related; boundary="{boundary}"; {names.get("type", "type")}="text/xml"{start}'
    return media, write_parts(parts, boundary, style)


def write_parts(parts: Sequence[mime.OutPart], boundary: str, style: Style) -> bytes:
    """The body of a multipart, its headers in this style."""
    return mime.write_parts(parts, boundary, lambda part: _part_headers(part, style))


def capitalised(media: ContentType) -> ContentType:
    """Type=, Start= and Name=, as one MMSC writes its parameters."""
    return ContentType(
        media.media_type, tuple((_PARAMETERS.get(name, name), value) for name, value in media.parameters)
    )


def _part_headers(part: mime.OutPart, style: Style) -> bytes:
    if style.capitalised_parameters:
        part = replace(part, content_type=capitalised(part.content_type))
    if style.upper_case_base64 and part.encoding == "base64":
        part = replace(part, encoding="BASE64")
    headers = mime.part_headers(part)
    if style.bare_content_id:
        headers = _BRACKETS.sub(rb"\1\2", headers)
    return headers.replace(b"\r\nContent-ID:", f"\r\n{style.content_id_header}:".encode())


# --- the tree


def _restyle(message: etree._Element, style: Style) -> None:
    name = local_name(message)
    if name == "Fault":
        _restyle_fault(message, style)
    if name in _REPORTS:
        _restyle_report(message, style)
    if name == "DeliverReq":
        _restyle_subject(message, style)
    for element in list(message.iter()):
        _restyle_value(element, style)
    _unwrap(message, style.plain_addresses)
    _omit(message, style.omitted)
    _order(message, style.order)


def _restyle_fault(fault: etree._Element, style: Style) -> None:
    code, detail = fault.find("faultcode"), fault.find("detail")
    assert code is not None, "the writer writes it"
    assert detail is not None, "the writer writes it"
    code.text = f"{style.envelope_prefix}:{(code.text or '').partition(':')[2]}"
    if not style.fault_detail:
        fault.remove(detail)
    elif style.fault_detail == "Status":
        error = detail[0]
        status = next(one for one in error if local_name(one) == "Status")
        detail.replace(error, status)


def _restyle_report(report: etree._Element, style: Style) -> None:
    found = {local_name(one): one for one in report}
    sender, recipient = found["Sender"], found["Recipient"]
    if style.swapped_report:
        ours, theirs = sender[0], recipient[0]
        sender.append(theirs)
        recipient.append(ours)
    if style.report_recipients:
        _rename(recipient, "Recipients")
    if local_name(report) == "ReadReplyReq":
        return
    for name in ("Date", "TimeStamp"):
        if style.report_date and name in found:
            _rename(found[name], style.report_date)
    _restyle_status(report, found, style)


def _restyle_status(report: etree._Element, found: dict[str, etree._Element], style: Style) -> None:
    status = found["MMStatus"]
    word = status.text or ""
    extension = found["MMStatusExtension"].text if "MMStatusExtension" in found else ""
    status.text = _word(style.mm_statuses, word, extension or "") or word
    code, text = (_word(words, word, extension or "") for words in (style.status_error_codes, style.status_texts))
    at = report.index(status) + 1
    if code:
        report.insert(at, _child_of(report, "MMSStatusErrorCode", code))
    if text and "StatusText" in found:
        found["StatusText"].text = text
    elif text:
        behind = found.get("MMStatusExtension", status)
        report.insert(report.index(behind) + 1 + bool(code and behind is status), _child_of(report, "StatusText", text))


def _word(words: Words, word: str, extension: str) -> str:
    known = dict(words)
    return known.get(f"{word}/{extension}", known.get(word, known.get("*", "")))


def _restyle_subject(message: etree._Element, style: Style) -> None:
    subject = next((one for one in message if local_name(one) == "Subject"), None)
    if subject is None:
        if style.no_subject:
            content = next((one for one in message if local_name(one) in _BEHIND_SUBJECT), None)
            at = len(message) if content is None else message.index(content)
            message.insert(at, _child_of(message, "Subject", style.no_subject))
    elif style.encoded_subject:
        subject.text = encode_words(subject.text or "")


def _restyle_value(element: etree._Element, style: Style) -> None:
    name, text = local_name(element), element.text or ""
    if name in _TIMES:
        element.text = _time(text, style)
    elif name in _ADDRESSES:
        _restyle_address(element, name, text, style)
    elif name == "UACapabilities" and element.get("TimeStamp"):
        element.set("TimeStamp", _time(element.get("TimeStamp", ""), style))
    elif name == "Content":
        if style.spaced_href:
            element.set("href", element.get("href", "").replace("cid:", "cid: ", 1))
        if style.spaced_content:
            element.text = " "


def _restyle_address(element: etree._Element, name: str, text: str, style: Style) -> None:
    mailbox = bool(style.mailbox_domain) and name != "RFC2822Address"
    typed = style.type_plmn and (name == "Number" or mailbox)
    element.text = f"{text}{'/TYPE=PLMN' if typed else ''}{f'@{style.mailbox_domain}' if mailbox else ''}"
    if mailbox:
        _rename(element, "RFC2822Address")


def _time(text: str, style: Style) -> str:
    """A time of ours as this style has it; any other stays."""
    if not _UTC.fullmatch(text):
        return text
    at = datetime.fromisoformat(text[:-1]) + _offset(style.time_zone)
    return f"{at.isoformat()}{'.000' if style.milliseconds else ''}{style.time_zone}"


def _offset(zone: str) -> timedelta:
    if zone in ("", "Z"):
        return timedelta()
    ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    return -ahead if zone.startswith("-") else ahead


def _unwrap(message: etree._Element, paths: tuple[str, ...]) -> None:
    for parent in list(message.iter()) if paths else ():
        for one in parent:
            if f"{local_name(parent)}/{local_name(one)}" in paths and len(one) == 1:
                text = one[0].text
                one.remove(one[0])
                one.text = text


def _omit(message: etree._Element, omitted: Names) -> None:
    left_out = dict(omitted)
    for parent in list(message.iter()) if left_out else ():
        for one in [one for one in parent if local_name(one) in left_out.get(local_name(parent), ())]:
            parent.remove(one)


def _order(message: etree._Element, order: Names) -> None:
    wanted = dict(order)
    for parent in list(message.iter()) if wanted else ():
        names = wanted.get(local_name(parent))
        if names is not None:
            rank = {name: number for number, name in enumerate(names)}
            parent[:] = sorted(parent, key=lambda one: rank.get(local_name(one), len(rank)))


def _rename(element: etree._Element, name: str) -> None:
    element.tag = f"{{{namespace_of(element)}}}{name}"


def _child_of(parent: etree._Element, name: str, text: str) -> etree._Element:
    child = etree.Element(f"{{{namespace_of(parent)}}}{name}")
    child.text = text
    return child


# --- the text


def _written(element: etree._Element, style: Style) -> Iterator[str]:
    name = _name(element, style)
    yield f"<{name}{''.join(_attributes(element, style))}"
    if len(element) == 0 and not element.text:
        yield "/>"
        return
    yield f">{clean(element.text or '')}"
    for child in element:
        yield from _written(child, style)
    yield f"</{name}>"


def _is_top(element: etree._Element) -> bool:
    """Whether an element of MM7 is the outermost: it declares the namespace."""
    parent = element.getparent()
    return namespace_of(element) not in ("", ENVELOPE) and (parent is None or namespace_of(parent) in ("", ENVELOPE))


def _name(element: etree._Element, style: Style) -> str:
    local, namespace = local_name(element), namespace_of(element)
    if namespace == ENVELOPE or (namespace == "" and style.qualified_fault):
        return f"{style.envelope_prefix}:{local}"
    if namespace == "":
        return local
    if local == "TransactionID":
        return f"{style.mm7_prefix}:{local}"
    has_prefix = style.prefixed and (_is_top(element) or not style.unqualified_children)
    return f"{style.mm7_prefix}:{local}" if has_prefix else local


def _attributes(element: etree._Element, style: Style) -> Iterator[str]:
    parent = element.getparent()
    if parent is None:
        yield f" xmlns:{style.envelope_prefix}={quoted(ENVELOPE)}"
    elif _is_top(element):
        namespace = quoted(namespace_of(element))
        in_header = local_name(parent) == "Header"
        if not (in_header or style.prefixed):
            yield f" xmlns={namespace}"
        if in_header or style.prefixed or style.qualified_href:
            yield f" xmlns:{style.mm7_prefix}={namespace}"
        if style.must_understand_body and local_name(parent) == "Body":
            yield f' {style.envelope_prefix}:mustUnderstand="1"'
        if style.encoding_style and in_header:
            yield f' {style.envelope_prefix}:encodingStyle=""'
    for key, value in element.attrib.items():
        yield f" {_attribute_name(str(key), style)}={quoteattr(str(value))}"


def _attribute_name(key: str, style: Style) -> str:
    if key.startswith(f"{{{ENVELOPE}}}"):
        return f"{style.envelope_prefix}:{key.rpartition('}')[2]}"
    return f"{style.mm7_prefix}:{key}" if key == "href" and style.qualified_href else key
