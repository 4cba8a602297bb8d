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
from mmsc.domain.instant import Instant, from_datetime
from mmsc.domain.message import Route
from mmsc.domain.neighbours import Peer
from mmsc.domain.refusal import Refused
from mmsc.engine.ports import Directory, Numbers, PeerReports, ResMm4, Submit
from mmsc.gateways.content import remarked
from mmsc.gateways.mm4.translate import HAPPENINGS, STATUS_OF, request_recipients, submission_of
from mmsc.net.smtp import Handler
from protocols import mm4
from protocols.address import read
from protocols.errors import DecodeError, Finding
from protocols.mm4 import (
    DeliveryReportReq,
    DeliveryReportRes,
    ForwardReq,
    ForwardRes,
    Mm4Error,
    RequestStatusCode,
)

_log: Final = logging.getLogger(__name__)
_TAKEN: Final = "250 2.0.0 taken"
_SYSTEM_MAILBOXES: Final = ("mms-system", "system-user", "postmaster")
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
        self._unknown_peers = unknown_peers

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
        route, _, why = self._numbers.route(found.address)
        return f"550 5.1.1 {why}" if route is Route.NONE else "250 2.1.5 ok"

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
        """Take a mail."""
        if not mail_from:
            return await self._bounce(octets)
        peer = self._peer(remote, mail_from)
        if peer is None:
            return "550 5.7.1 this system is no peer of ours"
        try:
            decoded = mm4.decode(octets)
            message = decoded.message
            match message:
                case ForwardReq():
                    return await self._forward(message, peer, recipients, decoded.findings)
                case ForwardRes():
                    return await self._forward_res(message, peer)
                case DeliveryReportReq():
                    return await self._delivery_report(message, peer)
                case DeliveryReportRes():
                    return _TAKEN
                case _:
                    return "554 5.6.0 unsupported message type"
        except Mm4Error as error:
            return await self._corrupt(error, peer)
        except DecodeError as error:
            _log.info("mail of %s: %s", peer.name, error)
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
        return peers[0] if self._unknown_peers and peers else None

    async def _forward(
        self, message: ForwardReq, peer: Peer, recipients: Sequence[str], findings: Sequence[Finding]
    ) -> str:
        submission = remarked(submission_of(message, peer, recipients, self._numbers), findings)
        wants = bool(message.ack_request)
        about = request_recipients(message, recipients)
        res = self._res(peer, message, "MM4_forward.RES", _R.OK, about=about) if wants else None
        outcome = await self._submit.accept(submission, res=res)
        if isinstance(outcome, Refused):
            return await self._refused(outcome, message, peer, about, wants=wants)
        outcome.answered()
        return _TAKEN

    async def _refused(
        self, refused: Refused, message: ForwardReq, peer: Peer, about: Sequence[str], *, wants: bool
    ) -> str:
        if refused.reason.is_transient:
            return f"451 4.3.0 {_one_line(refused.because)}"
        status = STATUS_OF[refused.reason]
        if not wants:
            return f"554 5.6.0 {_one_line(refused.because)}"
        res = self._res(peer, message, "MM4_forward.RES", status, refused.because, about=about)
        await self._submit.answer_refused(res)
        return _TAKEN

    async def _forward_res(self, message: ForwardRes, peer: Peer) -> str:
        ok = message.request_status_code is _R.OK
        because = message.status_text or message.request_status_code.value
        told = "" if ok else because
        await self._reports.forward_answered(
            peer.name, message.message_id, ok=ok, because=told, recipients=message.request_recipients
        )
        return _TAKEN

    async def _bounce(self, octets: bytes) -> str:
        """A mail relay gave up recipients of a forward: that counts as a RES about them. It is never refused for what
        it says, because nobody could be told."""
        try:
            bounce = mm4.read_bounce(octets)
        except DecodeError as error:
            _log.info("a mail without sender: %s", error.why)
            return "554 5.6.0 no report about a mail of ours"
        domains = {peer.domain.lower(): peer.name for peer in self._directory.peers.values()}
        for one in bounce.recipients:
            peer = domains.get(read(one.mailbox).domain.lower())
            because = f"the mail came back: {one.status} {_one_line(one.text)}".rstrip()
            if peer is None or not await self._reports.forward_answered(
                peer, bounce.message_id, ok=False, because=because, recipients=(one.mailbox,)
            ):
                _log.info("a bounce about %s, which is no forward of ours: %s", one.mailbox, because)
        return _TAKEN

    async def _delivery_report(self, message: DeliveryReportReq, peer: Peer) -> str:
        def res(found: bool) -> ResMm4:
            status = _R.OK if found else _R.ERROR_MESSAGE_NOT_FOUND
            return self._res(peer, message, "MM4_delivery_report.RES", status)

        date: Instant = self._clock.now() if message.date is None else from_datetime(message.date)
        await self._reports.delivery_report(
            peer.name,
            message.message_id,
            message.from_,
            HAPPENINGS[message.mm_status_code],
            date=date,
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
        if system.rpartition("@")[2].lower() != peer.domain.lower():
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
        """A RES where the sender could be told by one, else 554."""
        seen = error.seen
        system = seen.get("originator_system", "")
        wants = seen.get("ack_request", "").lower() == "yes" and system
        if not wants or not seen.get("transaction_id") or not seen.get("message_id"):
            return f"554 {error.status} {_one_line(error.why)}"
        forward = ForwardReq(
            transaction_id=seen["transaction_id"], message_id=seen["message_id"], originator_system=system
        )
        corrupt = _R.ERROR_MESSAGE_FORMAT_CORRUPT
        await self._submit.answer_refused(self._res(peer, forward, "MM4_forward.RES", corrupt, error.why))
        return _TAKEN


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]


def _sends_from(peer: Peer, remote: str) -> bool:
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(one, strict=False) for one in peer.addresses)
