"""m-send-req: a subscriber submits an MM (OMA-TS-MMS_ENC 6.1)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from mmsc.clock import Clock
from mmsc.domain.message import Interface, Origin
from mmsc.domain.refusal import Refused
from mmsc.domain.runs import tag_of
from mmsc.engine.ports import Submit
from mmsc.gateways.content import remarked
from mmsc.gateways.mm1.asked import Asked, pdu_answer
from mmsc.gateways.mm1.charging import with_reply_charging
from mmsc.gateways.mm1.mmbox_translate import stored_fields
from mmsc.gateways.mm1.senders import Senders
from mmsc.gateways.mm1.translate import submission_of
from mmsc.gateways.pdus import STATUS_OF, send_conf
from mmsc.gateways.runs import with_tag
from mmsc.net.http import HttpAnswer
from mmsc.trace.captures import BodyReference
from protocols import mm1
from protocols.errors import ProtocolError
from protocols.mm1 import MSendReq, ResponseStatus

_CORRUPT: Final = ResponseStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT


def conf_answer(
    transaction_id: str,
    version: int,
    status: ResponseStatus,
    text: str | None,
    message_id: str | None = None,
    stored: Mapping[str, Any] = MappingProxyType({}),
) -> HttpAnswer:
    """The m-send-conf that a client of this version can read; `stored` are its fields about the MMBox."""
    conf = send_conf(transaction_id, version, status, text, message_id)
    return pdu_answer(replace(conf, **stored) if stored else conf, transaction_id=transaction_id)


class Submissions:
    """Hands them to the engine."""

    def __init__(self, submit: Submit, clock: Clock, senders: Senders, url: Callable[[], str]) -> None:
        """`url` is where MM1 is reached: Content-Locations begin with it."""
        self._submit = submit
        self._senders = senders
        self._clock = clock
        self._url = url

    async def send_req(self, asked: Asked[MSendReq]) -> HttpAnswer:
        """m-send-req to m-send-conf."""
        pdu, identity, version = asked.pdu, asked.identity, asked.version
        assert identity is not None, "the server refuses what nobody sent"
        run = tag_of(asked.run or self._senders.run_of(identity))
        objection = self._senders.objection(pdu.from_, identity, version, pdu.sender_visibility)
        if objection is not None:
            await self._submit.note_refused(Origin(Interface.MM1, identity.value), objection.refused, run=run)
            return conf_answer(pdu.transaction_id, version, objection.status, objection.refused.because)
        findings = (*asked.findings, *self._senders.findings(pdu.from_, identity))
        try:
            now = self._clock.now()
            said = submission_of(pdu, identity, now, asked.octets - len(pdu.body))
            charged = with_reply_charging(said, pdu, now)
        except ProtocolError as error:  # what could be read and cannot be written again is no better
            return conf_answer(pdu.transaction_id, version, _CORRUPT, error.why)
        if isinstance(charged, Refused):
            await self._submit.note_refused(Origin(Interface.MM1, identity.value), charged, run=run)
            return conf_answer(pdu.transaction_id, version, STATUS_OF[charged.reason], charged.because)
        submission = with_tag(remarked(charged, findings), run)
        outcome = await self._submit.accept(submission)
        if isinstance(outcome, Refused):
            return conf_answer(pdu.transaction_id, version, STATUS_OF[outcome.reason], outcome.because)
        status, text = ResponseStatus.OK, None
        if outcome.refused and version >= mm1.VERSION_1_2:  # who spoke less hears of them by m-delivery-ind
            status = ResponseStatus.ERROR_TRANSIENT_PARTIAL_SUCCESS
            text = "; ".join(f"{one.text}: {one.because}" for one in outcome.refused)
        stored = stored_fields(outcome.kept, self._url())
        answer = conf_answer(pdu.transaction_id, version, status, text, outcome.message_id, stored)
        answer.mm_id = outcome.mm_id
        answer.neighbour = identity.value
        content = submission.content
        if content is not None and outcome.content_id is not None and content.body is pdu.body:
            answer.stored = BodyReference(outcome.content_id, 0, len(pdu.body), asked.octets - len(pdu.body))

        async def after(_: bool) -> None:
            outcome.answered()

        answer.after = after
        return answer
