"""Handsets that remember: every push, every MM, and what they acknowledged. Those without MMS open the link."""

import re
from typing import Final

import aiohttp

from crashing.ledger import Ledger
from crashing.patience import Chores, until_answered
from protocols import mm1
from protocols.wsp.multipart import index_multipart
from protocols.wsp.push import MMS_MESSAGE, decode_push

_LINK: Final = re.compile(r"http://\S+")
_GONE: Final = (404, 410)


class Phone:
    """A handset with MMS: GET, then m-notifyresp-ind, each until it is answered."""

    def __init__(self, number: str, ledger: Ledger, chores: Chores, session: aiohttp.ClientSession) -> None:
        self._number = number
        self._ledger = ledger
        self._chores = chores
        self._session = session
        self._busy: set[str] = set()

    async def on_push(self, octets: bytes) -> None:
        """A WAP push, whole."""
        pdu = mm1.decode(decode_push(octets).data).message
        if not isinstance(pdu, mm1.MNotificationInd) or pdu.content_location is None:
            self._ledger.problem(f"{self._number} was pushed {type(pdu).__name__}")
            return
        self._ledger.pushed(self._number, pdu.transaction_id, pdu.content_location)
        if pdu.transaction_id not in self._busy:
            self._busy.add(pdu.transaction_id)
            self._chores.begin(self._serve(pdu.transaction_id, pdu.content_location))

    async def on_sms(self, text: str) -> None:
        """A handset with MMS gets no SMS from us."""
        self._ledger.problem(f"{self._number} got an SMS: {text}")

    async def _serve(self, transaction_id: str, location: str) -> None:
        conf = await until_answered(lambda: self._get(location))
        self._take(conf)
        answer = mm1.MNotifyRespInd(
            mms_version=mm1.VERSION_1_2, transaction_id=transaction_id, status=mm1.Status.RETRIEVED
        )
        url = location.partition("/m/")[0] + "/"
        await until_answered(lambda: self._post(url, mm1.encode(answer)))
        self._ledger.acknowledged(self._number, conf.subject or "")
        self._busy.discard(transaction_id)  # a push again is served again

    async def _get(self, location: str) -> mm1.MRetrieveConf | None:
        async with self._session.get(location, headers=self._headers()) as response:
            octets = await response.read()
            if response.status != 200:
                if response.status in _GONE:
                    self._ledger.problem(f"{self._number}: GET {location} is HTTP {response.status}")
                return None
        pdu = mm1.decode(octets).message
        if not isinstance(pdu, mm1.MRetrieveConf) or pdu.retrieve_status not in (None, mm1.RetrieveStatus.OK):
            return None
        return pdu

    def _take(self, conf: mm1.MRetrieveConf) -> None:
        parts = index_multipart(conf.body)
        octets = [conf.body[one.data_offset : one.data_offset + one.data_length] for one in parts]
        self._ledger.got(self._number, conf.subject or "", octets[-1] if octets else b"")

    async def _post(self, url: str, body: bytes) -> bool | None:
        async with self._session.post(url, data=body, headers=self._headers()) as response:
            await response.read()
            return True if response.status in (200, 204) else None

    def _headers(self) -> dict[str, str]:
        return {"Content-Type": MMS_MESSAGE, "Accept": "*/*", "X-MSISDN": self._number.lstrip("+")}


class OldPhone:
    """A handset without MMS: a browser that follows the link of the SMS."""

    def __init__(self, number: str, ledger: Ledger, chores: Chores, session: aiohttp.ClientSession) -> None:
        self._number = number
        self._ledger = ledger
        self._chores = chores
        self._session = session
        self._links: set[str] = set()

    async def on_push(self, octets: bytes) -> None:
        """It would not understand one."""
        self._ledger.problem(f"{self._number} has no MMS and was pushed to")

    async def on_sms(self, text: str) -> None:
        """An SMS with a link."""
        found = _LINK.search(text)
        if found is None:
            self._ledger.problem(f"{self._number} got an SMS without a link: {text}")
            return
        self._ledger.counts["links"] += 1
        if found[0] not in self._links:
            self._links.add(found[0])
            self._chores.begin(self._open(found[0]))

    async def _open(self, url: str) -> None:
        page = await until_answered(lambda: self._get(url))
        octets = await until_answered(lambda: self._get(f"{url}/part/0"))
        found = re.search(rb"crash-[\w-]+", page)
        self._ledger.got(self._number, found[0].decode() if found else "", octets)

    async def _get(self, url: str) -> bytes | None:
        async with self._session.get(url, headers={"User-Agent": "Mozilla/5.0"}) as response:
            octets = await response.read()
            if response.status in _GONE:
                self._ledger.problem(f"{self._number}: the link {url} is HTTP {response.status}")
            return octets if response.status == 200 else None
