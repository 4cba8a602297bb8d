"""The foreign MMSC: it takes forwards and reports over real SMTP, remembers them all, and answers by mail."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import aiosmtplib

from crashing.ledger import Ledger, Sent
from crashing.patience import Chores, until_answered
from mmsc.net.smtp import Handler
from protocols import mime, mm4
from protocols.content_type import ContentType

HOME: Final = "mms.home.example"
DOMAIN: Final = "mms.far.example"
SYSTEM: Final = f"mms-system@{DOMAIN}"
_HOME_SYSTEM: Final = f"mms-system@{HOME}"


@dataclass
class Far(Handler):
    """Everything it hears goes to the ledger. `ports` are the MM4 ports of the nodes."""

    ledger: Ledger
    chores: Chores
    chance: random.Random
    ports: list[int] = field(default_factory=list)
    _answered: set[tuple[str, str]] = field(default_factory=set)
    _busy: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))

    async def rcpt(self, remote: str, mail_from: str, address: str) -> str:
        """Everybody lives here."""
        return "250 ok"

    async def data(self, remote: str, mail_from: str, recipients: Sequence[str], octets: bytes) -> str:
        """A whole mail."""
        message = mm4.decode(octets).message
        if isinstance(message, mm4.ForwardReq):
            self._forward(message, [_number(one) for one in recipients])
        elif isinstance(message, mm4.ForwardRes):
            if message.request_status_code is not mm4.RequestStatusCode.OK:
                self.ledger.problem(f"{message.message_id}: RES {message.request_status_code} {message.status_text}")
            self.ledger.answered(message.transaction_id)
        elif isinstance(message, mm4.DeliveryReportReq):
            date = message.date.isoformat() if message.date else ""
            report = (message.transaction_id, date, str(message.mm_status_code))
            self.ledger.reported(message.message_id, _number(message.from_), report)
        return "250 taken"

    def _forward(self, message: mm4.ForwardReq, recipients: Sequence[str]) -> None:
        octets = message.content.parts[-1].data if message.content is not None and message.content.parts else b""
        for one in recipients:
            self.ledger.forwarded(one, message.message_id, message.transaction_id)
            self.ledger.got(one, message.subject, octets)
        ids = {"message_id": message.message_id, "sender": SYSTEM}
        res = mm4.ForwardRes(transaction_id=message.transaction_id, **ids)  # type: ignore[arg-type]
        self.chores.begin(self._mail(mm4.encode(res), [_HOME_SYSTEM]))
        for one in recipients:
            if (message.message_id, one) in self._answered:
                continue
            self._answered.add((message.message_id, one))
            report = mm4.DeliveryReportReq(
                transaction_id=f"r{len(self._answered)}",
                from_=f"{one}/TYPE=PLMN",
                to=(message.from_,),
                date=datetime.now(UTC),
                mm_status_code=mm4.MmStatusCode.RETRIEVED,
                **ids,  # type: ignore[arg-type]
            )
            to = f"{message.from_}@{HOME}"
            self.chores.begin(self._mail(mm4.encode(report), [to]))

    async def send(self, sent: Sent, number: int) -> None:
        """An MM to phones of the MMSC under test; the mail is repeated until it is taken."""
        request = mm4.ForwardReq(
            transaction_id=sent.key,
            message_id=f"{sent.key}@{DOMAIN}",
            from_=f"+16660900{number % 100:02d}/TYPE=PLMN",
            to=tuple(f"{one}/TYPE=PLMN" for one in sorted(sent.recipients)),
            sender=SYSTEM,
            originator_system=SYSTEM,
            subject=sent.key,
            ack_request=True,
            delivery_report=True,
        )
        part = mime.OutPart(ContentType("application/octet-stream"), sent.octets, "p", "", "base64")
        octets = mm4.encode(request, (ContentType("multipart/mixed"), (part,)))
        await self._mail(octets, [f"{one}/TYPE=PLMN@{HOME}" for one in sorted(sent.recipients)])
        self.ledger.accepted(sent, request.message_id)

    async def _mail(self, octets: bytes, to: Sequence[str]) -> None:
        async with self._busy:
            await until_answered(lambda: self._once(octets, to))

    async def _once(self, octets: bytes, to: Sequence[str]) -> bool | None:
        port = self.chance.choice(self.ports)
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False, timeout=10) as client:
            await client.mail(SYSTEM)
            for one in to:
                await client.rcpt(one)
            await client.data(octets)
        return True


def _number(address: str) -> str:
    return address.partition("/")[0].partition("@")[0]
