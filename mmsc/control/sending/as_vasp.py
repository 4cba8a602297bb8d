"""A SubmitReq (TS 23.140 8.7.1) from a draft, as SOAP with Attachments."""

from mmsc.control.sending.draft import BadDraft, Draft, flag, parts_of
from mmsc.control.sending.wire import Wire
from mmsc.lab.mm7_addresses import address_of, guess
from mmsc.lab.mm7_content import whole
from protocols import mm7
from protocols.errors import DecodeError, EncodeError, Finding
from protocols.mm7 import Address, Dialect, Envelope


def submit_req(draft: Draft, url: str, transaction_id: str) -> Wire:
    """Ready to be posted. Raises BadDraft for what has no octets at all."""
    spoken = _spoken(draft.namespace)
    parts = parts_of(draft)
    content = whole(parts) if parts else None
    message = mm7.SubmitReq(
        mm7_version=draft.mm7_version or spoken.version,
        vasp_id=draft.vasp_id,
        vas_id=draft.vas_id,
        sender_address=_address(draft.sender) if draft.sender else None,
        to=tuple(map(_address, draft.to)),
        cc=tuple(map(_address, draft.cc)),
        bcc=tuple(map(_address, draft.bcc)),
        service_code=draft.service_code,
        linked_id=draft.linked_id,
        message_class=draft.message_class,
        earliest_delivery_time=draft.earliest,
        expiry_date=draft.expiry,
        delivery_report=flag(draft.delivery_report, "delivery_report"),
        read_reply=flag(draft.read_report, "read_report"),
        priority=draft.priority,
        subject=draft.subject,
        content_href="" if content is None else f"cid:{content.content_id}",
    )
    envelope = Envelope(transaction_id, spoken, message)
    try:
        if content is None:
            media, body = mm7.encode(envelope)
        else:
            media, body = mm7.encode_with_content(envelope, content, transaction_id)
    except (EncodeError, ValueError) as error:
        raise BadDraft("message", str(error)) from error
    headers = [("Content-Type", media), ("SOAPAction", '""')]
    if draft.run:
        headers.append(("X-MMSC-Run", draft.run))
    findings, refused = _judged(media, body)
    return Wire(
        interface="mm7",
        url=url,
        headers=tuple(headers),
        body=body,
        transaction_id=transaction_id,
        login=draft.vasp,
        findings=findings,
        refused=refused,
    )


def _judged(media: str, body: bytes) -> tuple[tuple[Finding, ...], str]:
    try:
        return mm7.decode(media, body).findings, ""
    except DecodeError as error:
        return (), str(error)


def _spoken(text: str) -> Dialect:
    spoken = mm7.dialect(text if "/" in text or ":" in text else mm7.BASE + (text or mm7.LATEST))
    if spoken is None:
        raise BadDraft("namespace", f"{text!r} is no namespace of MM7; try {mm7.LATEST}")
    return spoken


def _address(text: str) -> Address:
    try:
        return address_of(text)
    except ValueError:
        return guess(text)
