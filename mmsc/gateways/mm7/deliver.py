"""MM7 out: an MM for a VASP's short code (MM7_deliver, TS 23.140 8.7.2).

DELIVER_MM7 jobs, again or final as `courier.judge` says. What a final refusal means for the recipients is ours to say:
a code by which the VASP itself refuses this MM (`_ITS_CHOICE`) is a rejection by the recipient; any other says that we
could not deliver it: our request, our identification or the VASP's service was at fault.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mmsc.domain.address import Address as DomainAddress
from mmsc.domain.address import Normalised, told
from mmsc.domain.message import Content, Interface, Job, Mm, Role
from mmsc.domain.neighbours import DeliverContent, Vasp
from mmsc.domain.sendings import SENT_BEFORE, sent_before
from mmsc.domain.states import Happening
from mmsc.engine.ports import Contents, Delivered, Directory, Failed, Numbers, Outcome, Retry
from mmsc.engine.vasp_ports import Dialects
from mmsc.gateways.content import SMIL, to_mime
from mmsc.gateways.mm7.courier import Mm7Courier, answered, judge
from mmsc.gateways.mm7.profiles import request_headers, server_id_for, style_of
from mmsc.gateways.mm7.reading import read_answer
from mmsc.gateways.mm7.translate import date_time, form_of
from mmsc.net.http_client import HttpReply, HttpUnavailable
from protocols import mime, mm7
from protocols.content_type import ContentType
from protocols.mm7 import Address, AddressForm, DeliverReq, DeliverRsp, Dialect, Envelope, SentAt, SentBy, StatusCode
from protocols.records import record

_CONTENT_ID: Final = "mm7-content"
_LONGEST_SERVICE_CODE: Final = 200  # characters: a billing token, kept with the MM
_S: Final = StatusCode
_ITS_CHOICE: Final = frozenset(
    {
        _S.OPERATION_RESTRICTED,
        _S.ADDRESS_ERROR,
        _S.ADDRESS_NOT_FOUND,
        _S.MULTIMEDIA_CONTENT_REFUSED,
        _S.APPLICATION_ID_NOT_FOUND,
        _S.REPLY_APPLICATION_ID_NOT_FOUND,
        _S.MESSAGE_REJECTED,
        _S.SERVICE_DENIED,
        _S.APPLICATION_DENIED,
    }
)


@record(frozen=True, slots=True)
class Knowledge:
    """What a DeliverReq is made of, beside its MM."""

    directory: Directory
    contents: Contents
    numbers: Numbers
    dialects: Dialects
    server_id: str  # our domain


class DeliverCourier:
    """Carries DELIVER_MM7 jobs, over the connections that carry the VASP's reports."""

    def __init__(self, courier: Mm7Courier, knowledge: Knowledge) -> None:
        self._courier = courier
        self._knowledge = knowledge

    async def deliver(self, job: Job) -> Outcome:
        """One attempt; repeats carry the same TransactionID and LinkedID."""
        known = self._knowledge
        name = job.lane.removeprefix("vasp:")
        vasp = known.directory.vasps.get(name)
        if vasp is None or not vasp.delivers_to:  # a table that was taken away by mistake ends nothing
            return Retry(f"VASP {name} has no address for MM7_deliver any more", neighbour_down=True)
        content = await known.contents.content(job.stored_mm.content_id)
        if content is None:
            return Failed("its content is gone", nothing_sent=True)
        told = vasp.delivered_as or vasp
        content_type, body = octets_of(job, told, content, known)
        headers = request_headers(told, content_type, spoken_to(told, known.dialects)[0])
        try:
            reply = await self._courier.post(vasp, vasp.delivers_to, job, headers, body)
        except HttpUnavailable as error:
            return Retry(error.why, neighbour_down=not error.connected)
        return judge_delivery(reply, job.attempt)


def judge_delivery(reply: HttpReply, attempt: int = 0) -> Outcome:
    """What a VASP's answer to a DeliverReq means for the recipients, with its StatusCode and ServiceCode."""
    outcome = judge(reply, attempt)
    answer = read_answer(reply)
    code = 0 if answer is None else int(answer.status.code)
    match outcome:
        case Delivered():
            message = answered(reply)
            service_code = message.service_code[:_LONGEST_SERVICE_CODE] if isinstance(message, DeliverRsp) else ""
            return replace(outcome, status=code, service_code=service_code)
        case Failed():
            happening = Happening.REJECTED if code in _ITS_CHOICE else Happening.UNDELIVERABLE
            return replace(outcome, happening=happening, status=code)
        case _:
            return outcome


def octets_of(job: Job, vasp: Vasp, content: Content, known: Knowledge) -> tuple[str, bytes]:
    """(HTTP Content-Type, body): the same for each attempt, while the VASP's settings are."""
    spoken, version = spoken_to(vasp, known.dialects)
    part = content_part(content, vasp, job.payload["transaction_id"])
    request = deliver_req(job, vasp, version, known, has_content=part is not None)
    envelope = Envelope(job.payload["transaction_id"], spoken, request)
    if part is None:
        return mm7.encode(envelope, style_of(vasp))
    return mm7.encode_with_content(envelope, part, job.payload["transaction_id"], style_of(vasp))


def spoken_to(vasp: Vasp, dialects: Dialects) -> tuple[Dialect, str]:
    """Namespace and version: the VASP's settings, else those of its last request, else the latest."""
    namespace, version = dialects.last_of(vasp.name)
    spoken = mm7.dialect(vasp.namespace or namespace) or mm7.dialect(mm7.BASE + mm7.LATEST)
    assert spoken is not None, "the latest namespace is one of ours"
    heard = version if spoken.namespace == namespace else ""
    return spoken, vasp.mm7_version or heard or spoken.version


def deliver_req(job: Job, vasp: Vasp, version: str, known: Knowledge, *, has_content: bool) -> DeliverReq:
    """The DeliverReq that a job means, with numbers as its VASP spells them."""
    mm, details = job.stored_mm, job.stored_mm.details
    to, cc = (_shown(job, role, vasp, known.numbers) for role in (Role.TO, Role.CC))
    ua_prof, seen_at = _capabilities(mm, vasp, known.directory)
    return DeliverReq(
        mm7_version=version,
        mms_relay_server_id=server_id_for(vasp, known.server_id),
        vasp_id=vasp.vasp_id,
        vas_id=vasp.vas_ids[0] if len(vasp.vas_ids) == 1 else "",
        linked_id=job.payload["linked_id"],
        sender=_sender(mm, vasp, known.server_id),
        to=to,
        cc=cc,
        time_stamp=date_time(mm.date),
        **_previously_sent(details, vasp),
        reply_charging_id=details.get("reply_charging_id", ""),
        priority=mm.priority.name.capitalize(),
        subject=mm.subject,
        applic_id=details.get("applic_id", ""),
        reply_applic_id=details.get("reply_applic_id", ""),
        aux_applic_info=details.get("aux_applic_info", ""),
        ua_prof=ua_prof,
        ua_time_stamp=seen_at,
        content_href=f"cid:{_CONTENT_ID}" if has_content else "",
        allow_adaptations=None if mm.adaptation_allowed or not has_content else False,
    )


def _previously_sent(details: Mapping[str, str], vasp: Vasp) -> dict[str, Any]:
    """Who had it before, the originator first, as 1 (8.7.2, REL-6); whoever hides has a date and no name."""
    if SENT_BEFORE not in details:
        return {}
    way = list(enumerate(sent_before(details), 1))
    by = [
        SentBy(address=_spelled(DomainAddress.of(one.address), vasp), sequence=str(n)) for n, one in way if one.address
    ]
    at = [SentAt(date=date_time(one.at), sequence=str(n)) for n, one in way if one.at is not None]
    return {"previously_sent_by": tuple(by), "previously_sent_at": tuple(at)}


def _sender(mm: Mm, vasp: Vasp, server_id: str) -> Address:
    """A Sender is mandatory: who hides is a mailbox of ours that says so. The LinkedID reaches them all the same."""
    if mm.sender_hidden:
        return Address(f"anonymous@{server_id}", AddressForm.RFC2822_ADDRESS)
    return _spelled(mm.sender, vasp)


def _spelled(address: DomainAddress, vasp: Vasp, *, display_only: bool = False) -> Address:
    return Address(told(address, vasp.rewrites_out).value, form_of(address.value), display_only)


def _shown(job: Job, wanted: Role, vasp: Vasp, numbers: Numbers) -> tuple[Address, ...]:
    """To or Cc, each once; whoever is not served by this request is only displayed. Bcc is never shown."""
    mm = job.stored_mm
    own = {one.address for one in job.recipients}
    found: dict[str, Address] = {}
    for role, text in mm.shown_to:
        if role is not wanted:
            continue
        known = numbers.normalise(text, mm.origin.key)
        if isinstance(known, Normalised):
            address = _spelled(known.address, vasp, display_only=known.address not in own)
        else:
            address = Address(text, form_of(text), display_only=True)
        found.setdefault(address.value, address)
    return tuple(found.values())


def _capabilities(mm: Mm, vasp: Vasp, directory: Directory) -> tuple[str, str]:
    """(UAProf, TimeStamp): the profile, else the User-Agent, that the sender's handset showed on MM1, and when."""
    if mm.origin.interface is not Interface.MM1:
        return "", ""
    handset = directory.subscriber(mm.sender)
    model = handset.user_agent if vasp.profile is not None and vasp.profile.ua_model else ""
    shown = model or handset.profile_url or handset.user_agent
    return shown, date_time(handset.seen_at) if shown and handset.seen_at is not None else ""


def content_part(content: Content, vasp: Vasp, seed: str) -> mime.OutPart | None:
    """The Content as the VASP wants it (8.7.8.2), None for an MM without any."""
    whole, parts = to_mime(content, vasp.deliver_encoding.value)
    media = [one for one in parts if one.content_type.media_type != SMIL] or parts
    if not parts:
        return None
    match vasp.deliver_content:
        case DeliverContent.SINGLE if len(media) == 1:
            return replace(media[0], content_id=_CONTENT_ID)
        case DeliverContent.MIXED:
            return _multipart(ContentType("multipart/mixed"), media, seed, vasp)
    return _multipart(whole, parts, seed, vasp)


def _multipart(media: ContentType, parts: Sequence[mime.OutPart], seed: str, vasp: Vasp) -> mime.OutPart:
    boundary = mime.choose_boundary(parts, f"{seed}-content")
    typed = ContentType(media.media_type, (*media.parameters, ("boundary", boundary)))
    encoding = "7bit" if all(one.encoding in ("base64", "7bit") for one in parts) else "binary"
    style = style_of(vasp)
    body = mime.write_parts(parts, boundary) if style is None else mm7.write_parts(parts, boundary, style)
    return mime.OutPart(typed, body, _CONTENT_ID, encoding=encoding)
