"""What a PDU is called in a ladder, as its field spells it, and what its answer says; read from its view."""

import re
from collections.abc import Iterator
from typing import Final

from mmsc.trace.ladder.model import Answer
from mmsc.trace.view import View, every
from protocols.records import record

_LONGEST_TARGET: Final = 18
_LONGEST_LENGTH: Final = 16  # digits
_RECEIPT: Final = re.compile(r"\bstat:(\w+)")
_MMS_STATUS: Final = ("X-Mms-Status", "X-Mms-Read-Status", "X-Mms-Response-Status", "X-Mms-Cancel-Status")
_OK: Final = ("Ok", "")
_TRANSACTION: Final = re.compile(rb"<(?:[\w.-]+:)?TransactionID\b[^>]*>([^<]{1,200})<")
_LINK: Final = re.compile(r"https?://")


@record(frozen=True, slots=True, kw_only=True)
class Named:
    """`identity` names the same thing sent again; "" where nothing tells. `answer` is what it says as an answer;
    `weight`: it deserves a row of its own."""

    name: str
    beneath: str = ""
    identity: str = ""
    answer: Answer = Answer("")
    weight: bool = False
    segment: str = ""  # the push that it is a segment of
    to: str = ""  # of a push: the number
    transaction: str = ""  # and the X-Mms-Transaction-ID that it carries


def named(view: View) -> Named:
    """The name of whatever it is. Never raises."""
    match view.kind:
        case "HTTP":
            return _http(view)
        case "SMPP":
            return _smpp(view)
        case "SMTP":
            return _smtp(view)
        case "MM4" | "MIME":
            return _mail(view)
    return Named(name=view.title or view.kind, beneath="cannot be read" if view.problem else "")


def _http(view: View) -> Named:
    is_answer = view.title.startswith("HTTP/")
    for inner in every(view):
        if inner.kind == "MM7":
            return _mm7(view, inner)
        if inner.kind == "MMS PDU":
            return _mms(view, inner)
    mistyped = _mistyped(view)
    if is_answer:
        status = _status(view)
        return Named(name=status.text, answer=Answer(status.text, mistyped, status.failed), beneath=_size(view))
    if mistyped:
        found = _TRANSACTION.search(view.octets)
        what = _operation(view)
        identity = f"{what} {found[1].decode('utf-8', 'replace')}" if found is not None else ""
        return Named(name=what, beneath=mistyped, identity=identity)
    method, _, rest = view.title.partition(" ")
    target = rest.partition(" ")[0]
    return Named(name=f"{method} {_cut(target)}", identity=f"{method} {target}")


def _mistyped(view: View) -> str:
    """MM7 that its Content-Type does not say: `as text/plain`; "" for everything else."""
    if not any(one.octets.lstrip()[:1] == b"<" for one in view.inside) or not _operation(view):
        return ""
    media = next((row.value for row in view.rows if row.name.lower() == "content-type"), "")
    return f"as {media.partition(';')[0].strip() or 'no type'}"


def _status(view: View) -> Answer:
    code = view.title.split(" ")[1] if " " in view.title else ""
    return Answer(f"HTTP {code}", failed=not code.startswith(("1", "2", "3")))


def _size(view: View) -> str:
    octets = sum(len(one.octets) for one in view.inside)
    media = next((row.value for row in view.rows if row.name.lower() == "content-type"), "")
    return ", ".join(filter(None, (media.partition(";")[0], f"{octets:,} octets" if octets else "")))


def _cut(target: str) -> str:
    return target if len(target) <= _LONGEST_TARGET else f"{target[: _LONGEST_TARGET - 1]}…"


def _value(view: View, *names: str) -> str:
    """The value of the first row with one of these names, at any depth of its path."""
    for row in view.rows:
        if row.name.rpartition(" / ")[2] in names:
            return row.value
    return ""


def _mm7(view: View, soap: View) -> Named:
    transaction = _value(soap, "TransactionID")
    if view.title.startswith("HTTP/"):
        return _mm7_answer(view, soap)
    if soap.problem:
        name = _operation(soap) or "SOAP"
        return Named(name=name, beneath="cannot be read", identity=f"{name} {transaction}" if transaction else "")
    status = _value(soap, "MMStatus", "Status") if soap.title in ("DeliveryReportReq", "ReadReplyReq") else ""
    return Named(name=soap.title, beneath=status, identity=f"{soap.title} {transaction}")


def _operation(soap: View) -> str:
    """What a message calls itself that could not be read."""
    found = re.search(
        rb"<(?:[\w.-]+:)?((?:Submit|Delivery|Read|Deliver|Cancel|Replace|extended)\w*(?:Req|Rsp))\b", soap.octets
    )
    return found[1].decode() if found is not None else ""


def _mm7_answer(view: View, soap: View) -> Named:
    code, text = _value(soap, "StatusCode"), _value(soap, "StatusText")
    if not code:
        status = _status(view)
        words = Answer(status.text, "cannot be read" if soap.problem else soap.title, failed=True)
        return Named(name=soap.title, answer=words)
    failed = not code.startswith("1")
    name = _operation(soap) if soap.title == "Fault" and _operation(soap) else soap.title
    answer = Answer(f"{code} {text}".strip(), failed=failed)
    return Named(name=name, beneath=answer.text, answer=answer, weight=failed and name == "DeliverRsp")


def _mms(view: View, pdu: View) -> Named:
    is_answer = view.title.startswith("HTTP/")
    name = _kind(pdu)
    status = _value(pdu, *_MMS_STATUS)
    if not is_answer:
        transaction = _value(pdu, "X-Mms-Transaction-ID", "Message-ID")
        beneath = "cannot be read" if pdu.problem else status
        return Named(name=name, beneath=beneath, identity=f"{name} {transaction}" if transaction else "")
    if name == "m-retrieve-conf":
        return _retrieve_conf(view, pdu)
    http = _status(view)
    failed = http.failed or bool(pdu.problem) or status not in _OK
    answer = Answer(status or http.text, "cannot be read" if pdu.problem else name, failed=failed)
    return Named(name=name, beneath=status, answer=answer)


def _kind(pdu: View) -> str:
    """What it calls itself, also where it could not be read to its end."""
    return pdu.title if pdu.title != "unreadable" else _value(pdu, "X-Mms-Message-Type") or "MMS PDU"


def _retrieve_conf(view: View, pdu: View) -> Named:
    refused = _value(pdu, "X-Mms-Retrieve-Status")
    size, whole = len(pdu.octets), _told_size(view)
    if size < whole:
        cut = f"cut behind {size:,} of {whole:,} octets"
        return Named(name=_kind(pdu), beneath=cut, answer=Answer(cut, failed=True), weight=True)
    failed = refused not in _OK
    answer = Answer(refused if failed else _status(view).text, "" if failed else "complete", failed=failed)
    return Named(name=_kind(pdu), beneath=refused if failed else f"{size:,} octets", answer=answer, weight=True)


def _told_size(view: View) -> int:
    """What Content-Length says, 0 when it says nothing."""
    told = next((row.value for row in view.rows if row.name.lower() == "content-length"), "")
    return int(told) if told.isascii() and told.isdecimal() and len(told) < _LONGEST_LENGTH else 0


def _smpp(view: View) -> Named:
    status = _value(view, "command_status")
    if view.title.endswith("_resp") or view.title == "generic_nack":
        detail = view.title if view.title == "generic_nack" else ""
        return Named(name=view.title, beneath=status, answer=Answer(status, detail, failed=status != "ESME_ROK"))
    if view.problem:
        return Named(name="SMPP", beneath="cannot be read")
    return _carried(view)


def _carried(view: View) -> Named:
    """A request with what it carries."""
    to = _value(view, "destination_addr")
    for inner in every(view):
        if inner.kind == "MMS PDU" and not inner.problem:
            what = _value(inner, "X-Mms-Transaction-ID", "X-Mms-Cancel-ID", "Message-ID")
            identity = f"{inner.title} {what} {to}"
            return Named(name=view.title, beneath=inner.title, identity=identity, to=to, transaction=what)
        if inner.segment is not None:
            (_, reference, total), number = inner.segment.of, inner.segment.number
            told = f"segment {number} of {total}"
            push = f"{reference} {to}"
            return Named(name=view.title, beneath=told, identity=f"{push} {number}", segment=push, to=to)
    receipt = _RECEIPT.search(view.text)
    if receipt is not None and view.title == "deliver_sm":
        return Named(name=view.title, beneath=f"receipt {receipt[1]}")
    state = _value(view, "message_state")
    if state:
        return Named(name=view.title, beneath="receipt")
    words = "SMS with link" if _LINK.search(view.text) else "SMS" if view.text else ""
    return Named(name=view.title, beneath=words, identity=f"{view.text[:200]} {to}" if words else "")


def _smtp(view: View) -> Named:
    if not view.inside:
        if view.rows and view.rows[0].name == "reply":
            code, rest = view.title[:3], view.title[4:]
            failed = code[:1] != "2"
            return Named(name=code, beneath=rest, answer=Answer(view.title[:60] if failed else code, failed=failed))
        return Named(name="mail", beneath="not kept")
    return _mail(view.inside[0])


def _mail(view: View) -> Named:
    fields = dict(_headers(view))
    kind = fields.get("x-mms-message-type", "")
    status = fields.get("x-mms-request-status-code") or fields.get("x-mms-mm-status-code", "")
    identity = fields.get("x-mms-transaction-id") or fields.get("x-mms-message-id") or fields.get("message-id", "")
    name = kind or ("delivery status" if "multipart/report" in fields.get("content-type", "") else "mail")
    beneath = "cannot be read" if kind and view.problem else status
    return Named(name=name, beneath=beneath, identity=f"{name} {identity.strip(chr(34))}" if identity else "")


def _headers(view: View) -> Iterator[tuple[str, str]]:
    for row in reversed(view.rows):
        yield row.name.lower(), row.value.strip('"') if row.name.lower().startswith("x-mms-") else row.value
