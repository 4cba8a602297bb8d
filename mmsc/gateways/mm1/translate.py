"""MM1 words to domain words and back (OMA-TS-MMS_ENC 6 and 7)."""

from dataclasses import replace
from typing import Final

from mmsc.domain.address import Address
from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.message import Interface, Origin, RecipientSpec, Role, Submission
from mmsc.domain.states import Happening
from mmsc.engine.ports import GoneBecause
from mmsc.gateways.content import remarked
from mmsc.gateways.mm1.mmbox_translate import keeping_of, wants_store
from mmsc.gateways.pdus import content_of, submission_from
from mmsc.gateways.repeats import repeat_key
from protocols import mm1
from protocols.content_type import ContentType
from protocols.errors import Finding
from protocols.mm1 import MRetrieveConf, MSendReq, RetrieveStatus, Status
from protocols.wsp.multipart import Part, encode_multipart

HAPPENINGS: Final = {
    Status.RETRIEVED: Happening.RETRIEVED,
    Status.REJECTED: Happening.REJECTED,
    Status.DEFERRED: Happening.DEFERRED,
    Status.UNRECOGNISED: Happening.UNRECOGNISED,
}
_GONE_TEXT: Final = {
    GoneBecause.UNKNOWN: "Message not found",
    GoneBecause.EXPIRED: "Message expired",
    GoneBecause.CANCELLED: "Message withdrawn by its sender",
    GoneBecause.ENDED: "Message not found",
    GoneBecause.NO_CONTENT: "Message not found",
}


def submission_of(pdu: MSendReq, sender: Address, now: Instant, body_offset: int = 0) -> Submission:
    """The request in domain words, with what there is to remark about its parts; `body_offset` is where in the PDU they
    begin. Raises DecodeError for a body that is no multipart when it says it is one."""
    findings: list[Finding] = []
    content = content_of(pdu, findings)
    recipients = [
        RecipientSpec(text, role)
        for role, texts in ((Role.TO, pdu.to), (Role.CC, pdu.cc), (Role.BCC, pdu.bcc))
        for text in texts
    ]
    submission = submission_from(
        pdu,
        now,
        origin=Origin(Interface.MM1, sender.value),
        sender=sender.value,
        recipients=tuple(recipients),
        content=content,
        repeat_key=repeat_key("mm1", str(sender), "m-send-req", pdu.transaction_id, content=(mm1.encode(pdu),)),
        identifier=f"X-Mms-Transaction-Id {pdu.transaction_id}",
    )
    submission = remarked(submission, [replace(one, offset=one.offset + body_offset) for one in findings])
    if not wants_store(pdu):
        return submission
    return replace(submission, keep=keeping_of(pdu.mm_state, pdu.mm_flags))


def gone_conf(because: GoneBecause, now: Instant, version: int) -> MRetrieveConf:
    """An m-retrieve-conf that says why there is nothing: as a multipart, for readers that insist on one."""
    text = _GONE_TEXT[because]
    part = Part(ContentType("text/plain", (("charset", "utf-8"),)), text.encode(), "text", "text.txt")
    conf = MRetrieveConf(
        mms_version=version,
        date=now // SECOND,
        retrieve_status=RetrieveStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND,
        retrieve_text=text,
        content_type=ContentType("application/vnd.wap.multipart.mixed"),
        body=encode_multipart([part]),
    )
    return mm1.for_version(conf, version)
