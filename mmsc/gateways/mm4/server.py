"""MM4 in: mails of foreign MMSCs (TS 23.140 8.4.1, 8.4.2).

What can be known at RCPT is refused there. A mail is answered 250 when what it asks for is durable; the RES is a mail
of its own, stored in the same unit. A mail that nobody can answer by RES gets 554.
"""

import ipaddress
import logging
from collections.abc import Sequence
from typing import Final

from mmsc.clock import Clock
from mmsc.domain.address import AddressKind, Normalised, NotAnAddress
from mmsc.domain.instant import from_datetime
from mmsc.domain.message import Interface, Origin, Route
from mmsc.domain.neighbours import Peer
from mmsc.domain.obstacles import obstacle_to
from mmsc.domain.refusal import Refused
from mmsc.engine.peer_ports import PeerReports
from mmsc.engine.ports import Directory, Numbers, ResMm4, Submit
from mmsc.gateways.content import MAIL_ON_ITS_WAY, plausible, remarked
from mmsc.gateways.mm4.translate import (
    HAPPENINGS,
    STATUS_OF,
    is_mailbox,
    local_of,
    request_recipients,
    submission_of,
)
from mmsc.gateways.runs import in_mail, with_tag
from mmsc.net.smtp import Handler
from mmsc.trace import captures
from protocols import mm4
from protocols.address import read
from protocols.errors import Decoded, DecodeError, Finding
from protocols.mm4 import (
    Bounce,
    DeliveryReportReq,
    DeliveryReportRes,
    ForwardReq,
    ForwardRes,
    Message,
    Mm4Error,
    RequestStatusCode,
)

_log: Final = logging.getLogger(__name__)
_TAKEN: Final = "250 2.0.0 taken"
_SYSTEM_MAILBOXES: Final = ("mms-system", "system-user", "postmaster")
_LONGEST_TEXT: Final = 200
_FORWARD_REQ: Final = "mm4_forward.req"
_DR_REQ: Final = "mm4_delivery_report.req"
_FORWARD_RES: Final = "MM4_forward.RES"
_DR_RES: Final = "MM4_delivery_report.RES"
_R: Final = RequestStatusCode


class Mm4Server(Handler):
    """The handler of the MM4 listener."""

    def __init__(
        self,
        submit: Submit,
        peer_reports: PeerReports,
        numbers: Numbers,
        directory: Directory,
        clock: Clock,
        *,
        domain: str,
        unknown_peers: bool = False,
    ) -> None:
        self._submit = submit
        self._reports = peer_reports
        self._numbers = numbers
        self._directory = directory
        self._clock = clock
        self._domain = domain.lower()
        self.unknown_peers = unknown_peers

    async def rcpt(self, remote: str, mail_from: str, address: str) -> str:
        """Refuse at once who cannot be served; reports and RES come to system mailboxes or the sender's own."""
        local, _, domain = address.rpartition("@")
        peer = self._peer(remote, mail_from)
        if mail_from and peer is None:
            return "550 5.7.1 this system is no peer of ours"
        if domain.lower() != self._domain:
            return f"550 5.7.1 {domain} is not served here"
        if peer is None or not mail_from:
            return self._rcpt_of_bounce(local)
        if local.lower() in _SYSTEM_MAILBOXES or peer.unknown_recipient == "res":
            return "250 2.1.5 ok"
        found = self._numbers.normalise(local, f"peer:{peer.name}")
        if isinstance(found, NotAnAddress):
            return f"550 5.1.3 {found.because}"
        route, target, why = self._numbers.route(found.address)
        if route is Route.VASP:
            return "250 2.1.5 ok"  # a report about an MM of that VASP comes to it
        obstacle = obstacle_to(Origin(Interface.MM4, peer.name), route, target, why)
        return f"550 5.1.1 {obstacle}" if obstacle else "250 2.1.5 ok"

    def _rcpt_of_bounce(self, local: str) -> str:
        """Bounces come from whoever had the mail last, to whoever wrote it (RFC 5321 4.5.5); relays also ask so whether
        a number is served."""
        found = self._numbers.normalise(local)
        if isinstance(found, Normalised) and found.address.kind is AddressKind.PHONE:
            route, _, why = self._numbers.route(found.address)
            if route is Route.NONE:
                return f"550 5.1.1 {why}"
        return "250 2.1.5 ok"

    async def data(self, remote: str, mail_from: str, recipients: Sequence[str], octets: bytes) -> str:
        """Take a mail. RES and reports may come without a sender, as bounces do (RFC 4356)."""
        bounce = None if mail_from else _bounce_in(octets)
        if bounce is not None:
            return await self._bounce(bounce)
        peer = self._peer(remote, mail_from)
        if peer is None and mail_from:
            return "550 5.7.1 this system is no peer of ours"
        try:
            decoded = mm4.decode(octets)
        except Mm4Error as error:
            return "554 5.6.0 no report about a mail of ours" if peer is None else await self._corrupt(error, peer)
        if not mail_from and (peer is None or self.unknown_peers):
            peer = self._writer(decoded.message) or peer
        if peer is None:
            return "550 5.7.1 this system is no peer of ours"
        captures.about(neighbour=peer.name)
        return await self._take(decoded, peer, recipients, in_mail(octets))

    async def _take(self, decoded: Decoded[Message], peer: Peer, recipients: Sequence[str], run: str) -> str:
        message = decoded.message
        try:
            match message:
                case ForwardReq():
                    return await self._forward(message, peer, recipients, decoded.findings, run)
                case ForwardRes():
                    return await self._forward_res(message, peer)
                case DeliveryReportReq():
                    return await self._delivery_report(message, peer)
                case DeliveryReportRes():
                    return await self._report_res(message, peer)
                case _:
                    return "554 5.6.0 unsupported message type"
        except DecodeError as error:
            _log.info("mail of %s: %s", peer.name, error, extra={"neighbour": f"peer:{peer.name}"})
            return "554 5.6.0 the content cannot be read"

    def _peer(self, remote: str, mail_from: str) -> Peer | None:
        """By its addresses, else by the domain it writes from."""
        domain = mail_from.rpartition("@")[2].lower()
        peers = list(self._directory.peers.values())
        by_domain = [peer for peer in peers if domain and peer.domain.lower() == domain]
        at_home = [peer for peer in peers if _sends_from(peer, remote)]
        for peer in by_domain:
            if peer in at_home or not peer.addresses:
                return peer
        listed = [peer for peer in at_home if peer.addresses]
        if listed:
            return listed[0]
        return peers[0] if self.unknown_peers and peers else None

    def _writer(self, message: Message) -> Peer | None:
        """Of a mail without a sender: by the domain in its head, for peers that are known by nothing else."""
        domains = {text.rpartition("@")[2].lower() for text in (message.sender, message.from_) if "@" in text}
        peers = self._directory.peers.values()
        return next((peer for peer in peers if not peer.addresses and peer.domain.lower() in domains), None)

    async def _forward(
        self, message: ForwardReq, peer: Peer, recipients: Sequence[str], findings: Sequence[Finding], run: str
    ) -> str:
        said = submission_of(message, peer, recipients, self._numbers, self._clock.now())
        submission = with_tag(remarked(said, findings), run)
        wants = bool(message.ack_request)
        about = request_recipients(message, recipients)
        text = self._not_served(peer, recipients)
        res = self._res(peer, message, _FORWARD_RES, _R.OK, text, about) if wants else None
        outcome = await self._submit.accept(submission, res=res)
        if isinstance(outcome, Refused):
            return await self._refused(outcome, message, peer, about, wants=wants)
        outcome.answered()
        return _TAKEN

    def _not_served(self, peer: Peer, recipients: Sequence[str]) -> str:
        """Who is named by no address, and so by no report either."""
        bad = [
            text for text in recipients if isinstance(self._numbers.normalise(text, f"peer:{peer.name}"), NotAnAddress)
        ]
        return f"not served: {', '.join(bad)}"[:_LONGEST_TEXT] if bad else ""

    async def _refused(
        self, refused: Refused, message: ForwardReq, peer: Peer, about: Sequence[str], *, wants: bool
    ) -> str:
        if refused.reason.is_transient:
            return f"451 4.3.0 {_one_line(refused.because)}"
        status = STATUS_OF[refused.reason]
        if not wants:
            return f"554 5.6.0 {_one_line(refused.because)}"
        res = self._res(peer, message, _FORWARD_RES, status, refused.because, about=about)
        await self._submit.answer_refused(res)
        return _TAKEN

    async def _forward_res(self, message: ForwardRes, peer: Peer) -> str:
        ok = message.request_status_code is _R.OK
        because = message.status_text or message.request_status_code.value
        told = "" if ok else because
        await self._reports.forward_answered(
            peer.name,
            message.message_id,
            ok=ok,
            because=told,
            recipients=tuple(map(local_of, message.request_recipients)),
            transaction_id=message.transaction_id,
            status=message.request_status_code.value,
        )
        return _TAKEN

    async def _report_res(self, message: DeliveryReportRes, peer: Peer) -> str:
        status, text = message.request_status_code.value, _one_line(message.status_text)
        await self._reports.report_answered(peer.name, message.message_id, status=status, text=text)
        return _TAKEN

    async def _bounce(self, bounce: Bounce) -> str:
        """A mail relay gave up recipients of a forward: that counts as a RES about them. It is never refused for what
        it says, because nobody could be told."""
        domains = {peer.domain.lower(): peer.name for peer in self._directory.peers.values()}
        given_up: dict[tuple[str, str], list[str]] = {}  # whom nobody could take is mostly told in the same words
        for one in bounce.recipients:
            peer = domains.get(read(one.mailbox).domain.lower(), "")
            because = f"the mail came back: {one.status} {_one_line(one.text)}".rstrip()
            given_up.setdefault((peer, because), []).append(local_of(one.mailbox))
        for (peer, because), about in given_up.items():
            if not peer or not await self._reports.forward_answered(
                peer, bounce.message_id, ok=False, because=because, recipients=about
            ):
                _log.info(
                    "a bounce about %.200s, which is no forward of ours: %s",
                    ", ".join(about),
                    because,
                    extra={"message_id": bounce.message_id},
                )
        return _TAKEN

    async def _delivery_report(self, message: DeliveryReportReq, peer: Peer) -> str:
        def res(found: bool) -> ResMm4:
            status = _R.OK if found else _R.ERROR_MESSAGE_NOT_FOUND
            return self._res(peer, message, _DR_RES, status)

        now = self._clock.now()
        date = plausible(None if message.date is None else from_datetime(message.date), now, MAIL_ON_ITS_WAY)
        await self._reports.delivery_report(
            peer.name,
            message.message_id,
            local_of(message.from_),
            HAPPENINGS[message.mm_status_code],
            date=now if date is None else date,
            to_originator=message.forward_to_originator_ua is not False,
            text=message.status_text,
            res=res if message.ack_request else None,
        )
        return _TAKEN

    def _res(
        self,
        peer: Peer,
        message: ForwardReq | DeliveryReportReq,
        kind: str,
        status: RequestStatusCode,
        text: str = "",
        about: Sequence[str] = (),
    ) -> ResMm4:
        system = message.originator_system if isinstance(message, ForwardReq) else message.sender
        if system.rpartition("@")[2].lower() != peer.domain.lower() or not is_mailbox(system):
            system = f"system-user@{peer.domain}"  # only a mailbox of that peer is ever written to
        return ResMm4(
            peer.name,
            {
                "kind": kind,
                "to": system,
                "transaction_id": message.transaction_id,
                "message_id": message.message_id,
                "status": status.value,
                "text": text,
                "version": message.mms_version,
                "recipients": ",".join(about),
            },
        )

    async def _corrupt(self, error: Mm4Error, peer: Peer) -> str:
        """A RES where the sender asked for one and could be told, else 554; a RES itself is never answered."""
        seen = error.seen
        asked = seen.get("message_type", "").lower()
        transaction_id, message_id = seen.get("transaction_id", ""), seen.get("message_id", "")
        system = seen.get("originator_system" if asked != _DR_REQ else "sender", "")
        wanted = seen.get("ack_request", "").strip().lower() in ("yes", "true", "1")
        if not (wanted and system and transaction_id and message_id) or asked.endswith(".res"):
            return f"554 {error.status} {_one_line(error.why)}"
        if asked == _DR_REQ:
            report = DeliveryReportReq(transaction_id=transaction_id, message_id=message_id, sender=system)
            res = self._res(peer, report, _DR_RES, _R.ERROR_MESSAGE_FORMAT_CORRUPT, error.why)
        else:
            known = asked == _FORWARD_REQ
            status = _R.ERROR_MESSAGE_FORMAT_CORRUPT if known else _R.ERROR_UNSUPPORTED_MESSAGE
            head = ForwardReq(transaction_id=transaction_id, message_id=message_id, originator_system=system)
            res = self._res(peer, head, _FORWARD_RES, status, error.why)
        await self._submit.answer_refused(res)
        return _TAKEN


def _bounce_in(octets: bytes) -> Bounce | None:
    try:
        return mm4.read_bounce(octets)
    except DecodeError:
        return None


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_TEXT]


def _sends_from(peer: Peer, remote: str) -> bool:
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(one, strict=False) for one in peer.addresses)
