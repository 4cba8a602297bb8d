"""The VASP: it repeats a SubmitReq with the same TransactionID until it is accepted, and remembers every report."""

import base64
import random
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp import web

from crashing.ledger import Ledger, Sent
from crashing.patience import until_answered
from protocols import mime, mm7
from protocols.content_type import ContentType

_CREDENTIALS: Final = "Basic " + base64.b64encode(b"news:secret").decode()
_REPEATED: Final = 0.1  # how many submissions are repeated though they were answered


@dataclass
class CrashVasp:
    """`urls` are the MM7 interfaces of the nodes."""

    ledger: Ledger
    session: aiohttp.ClientSession
    chance: random.Random
    urls: list[str] = field(default_factory=list)

    async def submit(self, sent: Sent) -> None:
        """Until it is accepted; now and then once more, as if the answer had been lost."""
        content_type, body = _request(sent)
        again = self.chance.random() < _REPEATED
        for _ in range(1 + again):
            message_id = await until_answered(lambda: self._once(sent, content_type, body))
            self.ledger.accepted(sent, message_id)

    async def _once(self, sent: Sent, content_type: str, body: bytes) -> str | None:
        headers = {"Authorization": _CREDENTIALS, "Content-Type": content_type, "SOAPAction": '""'}
        async with self.session.post(self.chance.choice(self.urls), data=body, headers=headers) as response:
            octets = await response.read()
        if response.status >= 500 and not octets:
            return None
        answer = mm7.decode(response.headers["Content-Type"], octets).message.message
        if isinstance(answer, mm7.SubmitRsp) and answer.status.code is mm7.StatusCode.SUCCESS:
            return answer.message_id
        if isinstance(answer, mm7.SubmitRsp | mm7.Fault):
            self.ledger.counts["refusals"] += 1
            if not _is_temporary(answer.status.code):
                self.ledger.problem(f"{sent.key}: refused for good: {answer.status}")
        return None

    async def take(self, request: web.BaseRequest) -> web.Response:
        """A report over HTTP."""
        decoded = mm7.decode(request.headers["Content-Type"], await request.read()).message
        message = decoded.message
        if not isinstance(message, mm7.DeliveryReportReq):
            self.ledger.problem(f"the VASP got a {type(message).__name__}")
            return web.Response(status=400)
        report = (decoded.transaction_id, message.date, message.mm_status)
        self.ledger.reported(message.message_id, message.recipient.value, report)
        rsp = mm7.DeliveryReportRsp(status=mm7.Status(mm7.StatusCode.SUCCESS))
        content_type, body = mm7.encode(mm7.Envelope(decoded.transaction_id, decoded.dialect, rsp))
        return web.Response(body=body, headers={"Content-Type": content_type})


def _is_temporary(code: mm7.StatusCode) -> bool:
    """3000-series, and 4006 "service unavailable" (TS 23.140 8.7.8.3)."""
    return 3000 <= int(code) < 4000 or code is mm7.StatusCode.SERVICE_UNAVAILABLE


def _request(sent: Sent) -> tuple[str, bytes]:
    dialect = mm7.dialect(mm7.BASE + mm7.LATEST)
    assert dialect is not None
    part = mime.OutPart(ContentType("application/octet-stream"), sent.octets, "p")
    boundary = mime.choose_boundary((part,), "inner")
    whole = mime.write_parts((part,), boundary)
    content = mime.OutPart(ContentType("multipart/mixed", (("boundary", boundary),)), whole, "content")
    request = mm7.SubmitReq(
        vasp_id="news",
        to=tuple(mm7.Address(one) for one in sorted(sent.recipients)),
        delivery_report=True,
        subject=sent.key,
        content_href="cid:content",
    )
    return mm7.encode_with_content(mm7.Envelope(sent.key, dialect, request), content, "seed")
