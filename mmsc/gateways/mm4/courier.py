"""MM4 out: forwards, delivery reports and RES to foreign MMSCs, and what their SMTP replies mean (RFC 5321 4.2;
TS 23.140 8.4.1.2)."""

from collections.abc import Callable
from dataclasses import replace

from mmsc.clock import Clock
from mmsc.domain.instant import Instant, to_datetime
from mmsc.domain.message import Job, Recipient, RecipientId, TaskKind
from mmsc.domain.neighbours import Peer
from mmsc.domain.states import Happening
from mmsc.engine.ports import Contents, Delivered, Directory, Failed, Later, Mixed, Numbers, Outcome, Retry
from mmsc.gateways.content import to_mime
from mmsc.gateways.mm4.translate import delivery_report_req, forward_req, is_mailbox, mailbox
from mmsc.net.smtp import Reply, SmtpUnavailable
from mmsc.net.smtp_spoiling import Mailing
from protocols import mm4
from protocols.errors import EncodeError
from protocols.mm4 import DeliveryReportRes, ForwardRes, RequestStatusCode

_LATER_SECONDS = 60.0
_CUT_SECONDS = 1.0
One = Delivered | Later | Retry | Failed


class Mm4Courier:
    """Carries FORWARD, REPORT_MM4 and RES_MM4 jobs."""

    def __init__(
        self,
        contents: Contents,
        directory: Directory,
        numbers: Numbers,
        clock: Clock,
        new_sender: Callable[[Peer], Mailing],
        *,
        domain: str,
    ) -> None:
        self._contents = contents
        self._directory = directory
        self._numbers = numbers
        self._clock = clock
        self._new_sender = new_sender
        self._domain = domain
        self._system = f"mms-system@{domain}"
        self._senders: dict[str, tuple[Peer, Mailing]] = {}

    async def close(self) -> None:
        """Close all connections."""
        for _, sender in self._senders.values():
            await sender.close()

    async def renew(self, *, everything: bool) -> None:
        """Give up the connections to peers that changed or are gone (or to all: their time-out changed)."""
        known = self._directory.peers
        stale = [name for name, (peer, _) in self._senders.items() if everything or known.get(name) != peer]
        for sender in [self._senders.pop(name)[1] for name in stale]:
            await sender.close()

    async def deliver(self, job: Job) -> Outcome:
        """One attempt; repeats carry the same ids."""
        peer = self._directory.peers.get(job.lane.removeprefix("peer:"))
        if peer is None:
            return Failed("the peer is not configured any more")
        try:
            match job.kind:
                case TaskKind.FORWARD:
                    return await self._forward(job, peer)
                case TaskKind.REPORT_MM4:
                    return await self._report(job, peer)
                case _:
                    return await self._res(job, peer)
        except EncodeError as error:
            return Failed(f"it cannot be written: {error.why}")

    async def _forward(self, job: Job, peer: Peer) -> Outcome:
        mm = job.stored_mm
        if mm.size > peer.maximum_octets:
            return Failed(f"{mm.size} octets are too large for peer {peer.name} ({peer.maximum_octets})")
        content = await self._contents.content(mm.content_id)
        if content is None:
            return Failed("the content is gone")
        head = forward_req(job, peer, self._clock.now(), self._numbers, system_address=self._system)
        octets = mm4.encode(head, to_mime(content))
        boxes = {mailbox(one.address, peer.domain, peer.rewrites_out): one for one in job.recipients}
        mail_from = mailbox(mm.sender, self._domain, peer.rewrites_out)
        if not is_mailbox(mail_from):
            mail_from = self._system  # an alphanumeric sender with a blank; From has it as it is
        try:
            sent = await self._sender(peer).send(mail_from, tuple(boxes), octets, neighbour=peer.name, mm_id=mm.id)
        except SmtpUnavailable as error:
            return _unavailable(error)
        expected = Delivered(answer_expected=peer.ack_request, note=sent.final.text if sent.final else "")
        some_taken = sent.final is not None and not 400 <= sent.final.code < 500
        outcomes = {
            one.id: _at_rcpt(sent.refused[box], some_taken=some_taken)
            for box, one in boxes.items()
            if box in sent.refused
        }
        final = expected if sent.final is None or sent.final.code == 250 else _after_data(sent.final)
        return _together(tuple(boxes.values()), outcomes, final)

    async def _report(self, job: Job, peer: Peer) -> Outcome:
        report = delivery_report_req(job, peer, system_address=self._system)
        if report is None:
            return Delivered(note="MM4 has no word for the state: nothing sent", nothing_sent=True)
        to = mailbox(job.stored_mm.sender, peer.domain, peer.rewrites_out)
        if not is_mailbox(to):
            to = f"system-user@{peer.domain}"  # the head's To has the sender as it is
        return await self._mail(job, peer, to, mm4.encode(report))

    async def _res(self, job: Job, peer: Peer) -> Outcome:
        payload = job.payload
        cls = ForwardRes if payload["kind"] == "MM4_forward.RES" else DeliveryReportRes
        res: ForwardRes | DeliveryReportRes = cls(
            mms_version=payload.get("version") or peer.mm4_version,
            transaction_id=payload["transaction_id"],
            message_id=payload["message_id"],
            sender=self._system,
            to=(payload["to"],),
            date=to_datetime(Instant(job.due_at)),
            request_status_code=RequestStatusCode(payload["status"]),
            status_text=payload.get("text", ""),
        )
        about = payload.get("recipients", "")
        if about and isinstance(res, ForwardRes):
            res = replace(res, request_recipients=tuple(about.split(",")))
        outcome = await self._mail(job, peer, payload["to"], mm4.encode(res))
        if isinstance(outcome, Delivered):
            told = f"{payload['kind']} {payload['status']}"
            return replace(outcome, note="; ".join(filter(None, (told, outcome.note))))
        return outcome

    async def _mail(self, job: Job, peer: Peer, to: str, octets: bytes) -> Outcome:
        """A mail of ours to one mailbox."""
        try:
            mm_id = None if job.mm is None else job.mm.id
            sent = await self._sender(peer).send(self._system, (to,), octets, neighbour=peer.name, mm_id=mm_id)
        except SmtpUnavailable as error:
            return _unavailable(error)
        if to in sent.refused:
            return _at_rcpt(sent.refused[to], some_taken=False)
        if sent.final is None or sent.final.code != 250:
            return _after_data(sent.final or Reply(0, "no reply"))
        return Delivered(note=sent.final.text)

    def _sender(self, peer: Peer) -> Mailing:
        known = self._senders.get(peer.name)
        if known is None:
            known = self._senders[peer.name] = (peer, self._new_sender(peer))
        return known[1]


def _together(recipients: tuple[Recipient, ...], outcomes: dict[RecipientId, One], final: One) -> Outcome:
    if not outcomes:
        return final
    whole: dict[RecipientId, One] = {one.id: outcomes.get(one.id, final) for one in recipients}
    return Mixed(whole)


def _told(reply: Reply) -> str:
    return " ".join(f"{reply.code} {reply.text}".split())[:200]


def _at_rcpt(reply: Reply, *, some_taken: bool) -> One:
    """452 and 552 at RCPT: too many at once, the rest goes in a further mail at once (RFC 5321 4.5.3.1.10); where not
    even one was taken or refused for good, the peer is full."""
    if reply.code in (452, 552):
        return Later(0.0 if some_taken else _LATER_SECONDS, _told(reply))
    if 400 <= reply.code < 500:
        return Retry(_told(reply))
    return Failed(_told(reply), Happening.REFUSED_BY_PEER)


def _after_data(reply: Reply) -> One:
    if reply.code == 452:
        return Later(_LATER_SECONDS, _told(reply))
    if reply.code < 500:
        return Retry(_told(reply))
    return Failed(_told(reply), Happening.REFUSED_BY_PEER)


def _unavailable(error: SmtpUnavailable) -> Outcome:
    """No session, or MAIL FROM was refused. A session that breaks at one mail may do so each time: that counts as an
    attempt of its task, or it would be the first to be tried whenever the peer is well again."""
    if error.reply is None:
        return Retry(error.why, neighbour_down=True, wait_seconds=_CUT_SECONDS if error.begun else 0.0)
    if error.reply.code in (421, 452):
        return Later(_LATER_SECONDS, error.why)
    return Retry(error.why) if error.reply.code < 500 else Failed(error.why, Happening.REFUSED_BY_PEER)
