"""m-forward-req: a subscriber has an MM sent on that it was told of (OMA-TS-MMS_ENC 6; TS 23.140 8.1.6)."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from mmsc.clock import Clock
from mmsc.domain.address import Address
from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.message import Interface, Origin, RecipientSpec, Role, Submission
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.engine.box_ports import BoxForwarding
from mmsc.engine.ports import Accepted, Forwarding, Submit
from mmsc.gateways.content import plausible, remarked
from mmsc.gateways.mm1.asked import Asked, pdu_answer
from mmsc.gateways.mm1.charging import with_reply_charging
from mmsc.gateways.mm1.mmbox_translate import keeping_of, place_of, stored_fields, wants_store
from mmsc.gateways.mm1.senders import Senders
from mmsc.gateways.pdus import STATUS_OF, sayable, when_of
from mmsc.gateways.repeats import repeat_key
from mmsc.gateways.runs import with_tag
from mmsc.net.http import HttpAnswer
from protocols import mm1
from protocols.mm1 import MForwardConf, MForwardReq, ResponseStatus
from protocols.mm1.versions import status_for

_PATH: Final = "/m/"
_NO_REPLY: Final = Refused(
    RefusalReason.REPLY_OFFER_FORWARDED, "an MM that is forwarded is no reply that somebody else pays for"
)


class ForwardRequests:
    """Hands them to the engine."""

    def __init__(
        self,
        forwarding: Forwarding,
        boxed: BoxForwarding,
        submit: Submit,
        senders: Senders,
        clock: Clock,
        url: Callable[[], str],
    ) -> None:
        """`url` is where MM1 is reached: Content-Locations begin with it."""
        self._forwarding = forwarding
        self._submit = submit
        self._senders = senders
        self._clock = clock
        self._boxed = boxed
        self._url = url

    async def forward_req(self, asked: Asked[MForwardReq]) -> HttpAnswer:
        """m-forward-req to m-forward-conf."""
        outcome = await self._outcome(asked)
        answer = pdu_answer(_conf(asked, outcome, self._url()), transaction_id=asked.pdu.transaction_id)
        if isinstance(outcome, Accepted):
            answer.mm_id = outcome.mm_id
            answered = outcome.answered

            async def after(_: bool) -> None:
                answered()

            answer.after = after
        if asked.identity is not None:
            answer.neighbour = asked.identity.value
        return answer

    async def _outcome(self, asked: Asked[MForwardReq]) -> Accepted | Refused:
        pdu, identity, now = asked.pdu, asked.identity, self._clock.now()
        assert identity is not None, "the server refuses what nobody sent"
        findings = (*asked.findings, *self._senders.findings(pdu.from_, identity))
        plain = with_tag(_submission_of(pdu, identity, now), asked.run or self._senders.run_of(identity))
        submission = self._submission(asked, remarked(plain, findings), now)
        if isinstance(submission, Refused):
            await self._submit.note_refused(Origin(Interface.MM1, identity.value), submission)
            return submission
        allowed = pdu.report_allowed is not False
        place = place_of(pdu.content_location or "")
        if place is not None and place.boxed:
            return await self._boxed.forward(place, submission, identity, asked.evidence, report_allowed=allowed)
        token = token_of(pdu.content_location or "")
        return await self._forwarding.forward(token, submission, identity, asked.evidence, report_allowed=allowed)

    def _submission(self, asked: Asked[MForwardReq], plain: Submission, now: Instant) -> Submission | Refused:
        """The request in domain words, or why it is refused before anybody looks for the MM."""
        pdu, identity = asked.pdu, asked.identity
        assert identity is not None, "the server refuses what nobody sent"
        objection = self._senders.objection(pdu.from_, identity, asked.version)
        if objection is not None:
            return objection.refused
        return _NO_REPLY if pdu.reply_charging_id is not None else with_reply_charging(plain, pdu, now)


def token_of(location: str) -> str:
    """The token in a Content-Location, as it was sent or only its path; "" when it is none of ours."""
    try:
        path = urlsplit(location.strip()).path
    except ValueError:
        return ""
    return path.rpartition(_PATH)[2].partition("/")[0] if _PATH in path else ""


def _submission_of(pdu: MForwardReq, sender: Address, now: Instant) -> Submission:
    """To whom and how; the MM gives the rest."""
    roles = ((Role.TO, pdu.to), (Role.CC, pdu.cc), (Role.BCC, pdu.bcc))
    return Submission(
        origin=Origin(Interface.MM1, sender.value),
        sender=sender.value,
        recipients=tuple(RecipientSpec(text, role) for role, texts in roles for text in texts),
        content=None,
        repeat_key=repeat_key("mm1", str(sender), "m-forward-req", pdu.transaction_id, content=(mm1.encode(pdu),)),
        identifier=f"X-Mms-Transaction-Id {pdu.transaction_id}",
        delivery_report=bool(pdu.delivery_report),
        read_report=bool(pdu.read_report),
        date=plausible(None if pdu.date is None else Instant(pdu.date * SECOND), now),
        deliver_at=when_of(pdu.delivery_time),
        expires=when_of(pdu.expiry),
        details={"mm1_transaction_id": pdu.transaction_id, "mms_version": str(pdu.mms_version)},
        keep=keeping_of(pdu.mm_state, pdu.mm_flags) if wants_store(pdu) else None,
    )


def _conf(asked: Asked[MForwardReq], outcome: Accepted | Refused, url: str) -> MForwardConf:
    """The m-forward-conf that a client of this version can read."""
    pdu, version = asked.pdu, asked.version
    status, text, message_id = ResponseStatus.OK, None, None
    if isinstance(outcome, Refused):
        status, text = STATUS_OF[outcome.reason], outcome.because
    else:
        message_id = outcome.message_id
        if outcome.refused and version >= mm1.VERSION_1_2:
            status = ResponseStatus.ERROR_TRANSIENT_PARTIAL_SUCCESS
            text = "; ".join(f"{one.text}: {one.because}" for one in outcome.refused)
    stored = {} if isinstance(outcome, Refused) else stored_fields(outcome.kept, url)
    conf = MForwardConf(
        mms_version=version,
        transaction_id=pdu.transaction_id,
        response_status=status_for(status, version),
        response_text=None if text is None else sayable(text),
        message_id=message_id,
        **stored,
    )
    return mm1.for_version(conf, version)
