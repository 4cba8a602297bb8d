"""A handset that does nothing of itself: a test says each PDU, and sees each that is pushed."""

import asyncio
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, TypeVar

from mmsc.store.core import Unit
from protocols import mm1
from protocols.content_type import ContentType
from protocols.mm1 import MNotificationInd, MRetrieveConf, MSendConf, MSendReq, Pdu, Status
from protocols.wsp.multipart import Part, encode_multipart
from protocols.wsp.push import MMS_MESSAGE, decode_push
from tests.scenarios.conftest import Lab

TEXT = Part(ContentType("text/plain", (("charset", "utf-8"),)), "Grüße".encode(), "t", "t.txt")
_numbers = count(1)
P = TypeVar("P", bound=Pdu)


@dataclass
class ByHand:
    """A number whose pushes come here."""

    lab: Lab
    number: str
    version: int = mm1.VERSION_1_2
    pushes: list[Pdu] = field(default_factory=list)
    octets: list[bytes] = field(default_factory=list)  # of the pushes
    texts: list[str] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.lab.smsc.register(self.number, self._on_push, self._on_sms)

    async def _on_push(self, octets: bytes) -> None:
        async with self.changed:
            self.octets.append(decode_push(octets).data)
            self.pushes.append(mm1.decode(self.octets[-1]).message)
            self.changed.notify_all()

    async def _on_sms(self, text: str) -> None:
        async with self.changed:
            self.texts.append(text)
            self.changed.notify_all()

    def got(self, kind: type[P]) -> list[P]:
        """The pushes of a kind so far."""
        return [one for one in self.pushes if isinstance(one, kind)]

    async def pushed(self, kind: type[P], number: int = 1) -> P:
        """Wait for so many of a kind; the last of them."""
        async with asyncio.timeout(15), self.changed:
            await self.changed.wait_for(lambda: len(self.got(kind)) >= number)
        return self.got(kind)[number - 1]

    async def texted(self) -> str:
        """Wait for a plain SMS."""
        async with asyncio.timeout(15), self.changed:
            await self.changed.wait_for(lambda: bool(self.texts))
        return self.texts[0]

    async def post(self, pdu: Pdu, *, identity: str | None = None) -> tuple[int, Any]:
        """(HTTP status, the PDU that answers); `identity` "" for a gateway that says none."""
        host, port = self.lab.app.listeners["mm1"]
        headers = {"Content-Type": MMS_MESSAGE, **self._identity(identity)}
        url, octets = f"http://{host}:{port}/", mm1.encode(pdu)
        async with self.lab.vasp.session.post(url, data=octets, headers=headers) as response:
            body = await response.read()
            return response.status, mm1.decode(body).message if body else None

    async def get(self, notification: MNotificationInd) -> MRetrieveConf:
        """GET its Content-Location."""
        url = notification.content_location or ""
        async with self.lab.vasp.session.get(url, headers=self._identity(None)) as response:
            assert response.status == 200, response.status
            conf = mm1.decode(await response.read()).message
        assert isinstance(conf, MRetrieveConf)
        return conf

    def _identity(self, identity: str | None) -> dict[str, str]:
        number = self.number if identity is None else identity
        return {"X-MSISDN": number.lstrip("+")} if number else {}

    async def send(self, *to: str, **fields: Any) -> MSendConf:
        """m-send-req to m-send-conf."""
        pdu = replace(
            MSendReq(
                mms_version=self.version,
                transaction_id=f"S{next(_numbers)}",
                from_=mm1.INSERT_ADDRESS,
                to=tuple(to),
                delivery_report=True,
                content_type=ContentType("application/vnd.wap.multipart.mixed"),
                body=encode_multipart([TEXT]),
            ),
            **fields,
        )
        status, conf = await self.post(pdu)
        assert status == 200
        assert isinstance(conf, MSendConf)
        assert conf.transaction_id == pdu.transaction_id
        return conf

    async def answer(self, about: MNotificationInd, status: Status, report_allowed: bool | None = None) -> None:
        """m-notifyresp-ind, which is answered 200."""
        pdu = mm1.MNotifyRespInd(
            mms_version=self.version,
            transaction_id=about.transaction_id,
            status=status,
            report_allowed=report_allowed,
        )
        assert await self.post(pdu) == (200, None)

    async def acknowledge(self, conf: MRetrieveConf, report_allowed: bool | None = None) -> None:
        """m-acknowledge-ind, which is answered 200."""
        pdu = mm1.MAcknowledgeInd(
            mms_version=self.version, transaction_id=conf.transaction_id or "", report_allowed=report_allowed
        )
        assert await self.post(pdu) == (200, None)

    async def tell_read(self, message_id: str, to: str, /, *, identity: str | None = None, **fields: Any) -> None:
        """m-read-rec-ind, which is answered 200."""
        pdu = mm1.MReadRecInd(
            mms_version=max(self.version, mm1.VERSION_1_1),
            message_id=message_id,
            to=(to,),
            from_=mm1.INSERT_ADDRESS,
            read_status=mm1.ReadStatus.READ,
        )
        assert await self.post(replace(pdu, **fields), identity=identity) == (200, None)


async def at_rest(lab: Lab) -> None:
    """Wait until nothing is due and nothing is under way."""
    async with asyncio.timeout(15):
        while True:
            rows = await lab.app.store.fetch("SELECT state, due_at FROM task")
            if all(row[0] == "ready" and int(str(row[1])) > lab.app.clock.now() for row in rows):
                return
            await lab.app.store.commit(Unit(None, ()))


async def states(lab: Lab) -> list[str]:
    """Where the recipients stand, in their order."""
    return [str(row[0]) for row in await lab.app.store.fetch("SELECT state FROM recipient ORDER BY id")]


async def told(lab: Lab, kind: str) -> list[str]:
    """What the trace holds of a kind of event."""
    rows = await lab.app.store.fetch("SELECT data FROM event WHERE kind = $1 ORDER BY id", kind)
    return [str(row[0]) for row in rows]
