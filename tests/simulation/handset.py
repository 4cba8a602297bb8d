"""A handset with a habit: it fetches, defers, rejects, ignores or does not understand; and who follows a web link."""

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING, Final

from mmsc.engine.ports import Retrievable
from mmsc.gateways.mm1.asked import MMS_MESSAGE
from mmsc.lab.reassembly import Received
from mmsc.net.http import HttpAnswer
from protocols import mm1
from protocols.content_type import ContentType
from protocols.mm1 import (
    MAcknowledgeInd,
    MDeleteReq,
    MDeliveryInd,
    MForwardConf,
    MForwardReq,
    MMboxStoreConf,
    MMboxStoreReq,
    MNotificationInd,
    MNotifyRespInd,
    MReadOrigInd,
    MReadRecInd,
    MRetrieveConf,
    MSendConf,
    MSendReq,
    ResponseStatus,
    Status,
)
from protocols.wsp.multipart import encode_multipart
from protocols.wsp.push import decode_push
from tests.simulation.node import Cut, request

if TYPE_CHECKING:
    from tests.simulation.world import World

_LINK: Final = re.compile(r"/w/([A-Za-z0-9_-]+)")
_TRIES: Final = 8


class Handset:
    """One subscriber with its phone."""

    def __init__(self, world: "World", number: str, habit: str, *, denies: bool) -> None:
        self._world = world
        self.number = number
        self.habit = habit
        self.denies = denies  # X-Mms-Report-Allowed: No
        self.version = mm1.VERSION_1_0 if habit == "old" else mm1.VERSION_1_2
        self.reports: list[MDeliveryInd] = []
        self.sent: dict[str, str] = {}  # Message-ID of what it sent, and to whom
        self.read: set[str] = set()  # Message-IDs
        self._deeds: dict[str, tuple[str, str]] = {}  # by notification: what is done with it, and to whom it goes on

    def arrives(self, whole: Received) -> None:
        """A push or a text from the SMSC."""
        if whole.push is None:
            self._world.spawn(self._looks(whole.text or ""))
            return
        pdu = mm1.decode(decode_push(whole.push).data).message
        if isinstance(pdu, MDeliveryInd):
            self._world.say(f"{self.number} m-delivery-ind {pdu.status} about {pdu.message_id}")
            self.reports.append(pdu)
            return
        if isinstance(pdu, MReadOrigInd):
            self._world.say(f"{self.number} m-read-orig-ind {pdu.read_status} about {pdu.message_id}")
            return
        assert isinstance(pdu, MNotificationInd)
        self._world.say(f"{self.number} m-notification-ind {pdu.transaction_id} {self.habit}")
        self._world.spawn(self._reacts(pdu))

    async def _reacts(self, pdu: MNotificationInd) -> None:
        chance = self._world.chance
        await asyncio.sleep(chance.between(0, 3))
        habit = self.habit
        if habit == "ignore" or chance.fault(0.1):
            return
        if habit == "reject":
            await self._answer(pdu, Status.REJECTED)
            return
        if habit == "puzzled" or (habit == "puzzled_once" and pdu.mms_version > mm1.VERSION_1_0):
            await self._answer(pdu, Status.UNRECOGNISED)
            return
        if habit == "defer":
            await self._answer(pdu, Status.DEFERRED)
            await asyncio.sleep(chance.between(5, 80))
        if habit == "late":
            await asyncio.sleep(chance.between(30, 200))
        deed, to = self._deed(pdu)
        location = await self._does(deed, to, pdu) if deed else pdu.content_location
        if location is None:
            return
        for _ in range(2 if habit == "twice" else 1):
            conf = await self._get(location)
            if conf is None:
                return
        if habit == "silent" or chance.fault(0.1):
            return
        await asyncio.sleep(chance.between(0, 1))
        if habit == "defer":
            allowed = False if self.denies else None
            await self._post(
                MAcknowledgeInd(mms_version=self.version, transaction_id=pdu.transaction_id, report_allowed=allowed)
            )
        else:
            await self._answer(pdu, Status.RETRIEVED)
        if conf is not None and conf.read_report and chance.happens(0.5):
            await self._reads(conf)

    def _deed(self, pdu: MNotificationInd) -> tuple[str, str]:
        """What its user wants done with an MM beside fetching it; the same when it is notified again."""
        chance = self._world.chance
        if pdu.transaction_id not in self._deeds:
            able = self.version > mm1.VERSION_1_0 and chance.happens(0.3)
            deed = chance.pick(("forward", "forward", "delete", "box", "box and forward")) if able else ""
            self._deeds[pdu.transaction_id] = (deed, chance.pick(sorted(self._world.handsets)))
        return self._deeds[pdu.transaction_id]

    async def _does(self, deed: str, to: str, pdu: MNotificationInd) -> str | None:
        """Do it, and from where the MM is fetched all the same: from the box, where it was stored."""
        location = pdu.content_location or ""
        if deed == "delete":
            await self._until_told(MDeleteReq(transaction_id=f"d{pdu.transaction_id}", content_locations=(location,)))
            return None
        if "box" in deed:
            store = MMboxStoreReq(transaction_id=f"b{pdu.transaction_id}", content_location=location)
            conf = await self._until_told(store)
            assert isinstance(conf, MMboxStoreConf)
            location = conf.content_location or location
        if "forward" in deed:
            await self.forward(location, to, f"f{pdu.transaction_id}")
            return None
        return location

    async def forward(self, location: str, to: str, transaction_id: str) -> None:
        """Have an MM sent on, again until it is answered."""
        pdu = MForwardReq(
            mms_version=self.version,
            transaction_id=transaction_id,
            from_=mm1.INSERT_ADDRESS,
            to=(to,),
            content_location=location,
            expiry=mm1.Moment(self._world.options.validity_seconds),
            delivery_report=True,
            report_allowed=False if self.denies else None,
        )
        conf = await self._until_told(pdu)
        assert isinstance(conf, MForwardConf)
        if conf.response_status is ResponseStatus.OK:
            assert conf.message_id is not None
            self.sent[conf.message_id] = to
            self._world.accepted(conf.message_id, (to,))

    async def _until_told(self, pdu: mm1.Pdu) -> mm1.Pdu:
        """The conf of a request, again until there is one that is no "later"."""
        while True:
            answer = await self._post(pdu)
            if answer is not None:
                conf = mm1.decode(answer.body).message
                status = getattr(conf, "response_status", None) or getattr(conf, "store_status", None)
                if status is None or not 0xC0 <= int(status) < 0xE0:
                    return conf
            await asyncio.sleep(3)

    async def _reads(self, conf: MRetrieveConf) -> None:
        """Its user looks at the MM; perhaps the handset says so twice."""
        assert conf.message_id is not None
        self.read.add(conf.message_id)
        ind = MReadRecInd(
            mms_version=self.version,
            message_id=conf.message_id,
            to=(conf.from_,) if isinstance(conf.from_, str) else (),
            from_=mm1.INSERT_ADDRESS,
            read_status=mm1.ReadStatus.READ,
        )
        for _ in range(2 if self._world.chance.fault(0.1) else 1):
            await self._post(ind)

    async def _answer(self, pdu: MNotificationInd, status: Status) -> None:
        answer = MNotifyRespInd(
            mms_version=self.version,
            transaction_id=pdu.transaction_id,
            status=status,
            report_allowed=False if self.denies else None,
        )
        for _ in range(2 if self._world.chance.fault(0.1) else 1):
            await self._post(answer)

    async def _get(self, location: str) -> MRetrieveConf | None:
        """The MM, if there was one."""
        path = "/" + location.partition("//")[2].partition("/")[2]
        answer = await self._ask("GET", path)
        if answer is None:
            return None
        if answer.status != 200 and path.rpartition("/")[2] not in self._world.watch.removed:
            self._world.object_to(f"{self.number} was notified, and GET {path} says {answer.status}")
        if answer.status != 200:
            return None
        conf = mm1.decode(answer.body).message
        assert isinstance(conf, MRetrieveConf)
        return conf if conf.retrieve_status in (None, mm1.RetrieveStatus.OK) else None

    async def send(self, to: str, transaction_id: str) -> None:
        """An MM of this subscriber, again until it is answered."""
        pdu = MSendReq(
            mms_version=self.version,
            transaction_id=transaction_id,
            from_=mm1.INSERT_ADDRESS,
            to=(to,),
            expiry=mm1.Moment(self._world.options.validity_seconds),
            delivery_report=True,
            read_report=True,
            content_type=ContentType("application/vnd.wap.multipart.mixed"),
            body=encode_multipart([]),
        )
        while True:
            answer = await self._post(pdu)
            if answer is None:
                continue
            conf = mm1.decode(answer.body).message
            assert isinstance(conf, MSendConf)
            if conf.response_status is ResponseStatus.OK:
                assert conf.message_id is not None
                self.sent[conf.message_id] = to
                self._world.accepted(conf.message_id, (to,))
                return
            await asyncio.sleep(3)

    async def _post(self, pdu: mm1.Pdu) -> HttpAnswer | None:
        return await self._ask("POST", "/", mm1.encode(pdu))

    async def _ask(self, method: str, path: str, body: bytes = b"") -> HttpAnswer | None:
        """A request, a few times; None when nobody answered it."""
        for number in range(_TRIES):
            node = await self._world.any_node()
            headers = {"X_MSISDN": self.number.lstrip("+"), "User_Agent": "Sim/1.0", "Content_Type": MMS_MESSAGE}
            try:
                answer = await node.http(node.mm1, request(method, path, body, **headers))
            except Cut:
                answer = None
            if answer is not None and answer.status < 500:
                return answer
            await asyncio.sleep(1 + number)
        return None

    async def _looks(self, text: str) -> None:
        """Somebody follows the link, once or twice."""
        chance = self._world.chance
        match = _LINK.search(text)
        assert match is not None, text
        self._world.say(f"{self.number} SMS with link {match[1]}")
        await asyncio.sleep(chance.between(0, 40))
        if self.habit == "ignore":
            return
        for _ in range(2 if self.habit == "twice" else 1):
            node = await self._world.any_node()
            try:
                found = await node.serve(partial(node.engine.links.open, match[1]))
                if isinstance(found, Retrievable):
                    await node.serve(partial(node.engine.links.viewed, found))
            except Cut:
                await asyncio.sleep(2)
