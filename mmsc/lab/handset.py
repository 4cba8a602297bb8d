"""A virtual handset: it takes WAP pushes and SMS, and does over real HTTP what its behaviour says. It works with any
MMSC."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

import aiohttp

from protocols import mm1
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.mm1 import (
    MAcknowledgeInd,
    MCancelConf,
    MCancelReq,
    MDeliveryInd,
    MNotificationInd,
    MNotifyRespInd,
    MReadRecInd,
    MRetrieveConf,
    MSendConf,
    MSendReq,
    Pdu,
    Status,
)
from protocols.records import record
from protocols.wsp.multipart import Part, PartIndex, encode_multipart, index_multipart
from protocols.wsp.push import MMS_MESSAGE, decode_push

_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
MIXED: Final = ContentType("application/vnd.wap.multipart.mixed")


class Fetching(StrEnum):
    """What it does about a notification."""

    IMMEDIATE = "immediate"  # GET, then m-notifyresp-ind Retrieved
    DEFERRED = "deferred"  # m-notifyresp-ind Deferred; `fetch` later ends with m-acknowledge-ind
    REJECT = "reject"
    UNRECOGNISED = "unrecognised"
    NEVER = "never"  # it shows the notification and does nothing
    SILENT = "silent"  # GET, and no answer ever


@record(frozen=True, slots=True)
class Message:
    """An MM as the handset got it."""

    conf: MRetrieveConf
    parts: tuple[PartIndex, ...]

    def octets_of(self, part: PartIndex) -> bytes:
        """A part's own octets."""
        return self.conf.body[part.data_offset : part.data_offset + part.data_length]


@dataclass(slots=True)
class Inbox:
    """What has arrived, in order."""

    notifications: list[MNotificationInd] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    reports: list[MDeliveryInd] = field(default_factory=list)
    cancelled: list[MCancelReq] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Handset:
    """One handset. Use it as an async context manager; `register` its `on_push` and `on_sms` with an SMSC."""

    def __init__(
        self,
        number: str,
        mmsc_url: str,
        *,
        fetching: Fetching = Fetching.IMMEDIATE,
        report_allowed: bool | None = None,
        user_agent: str = "LabHandset/1.0",
        version: int = mm1.VERSION_1_2,
        identity_header: str = "X-MSISDN",
        watch: Callable[[str, Pdu], None] = lambda direction, pdu: None,
    ) -> None:
        self.number = number
        self.mmsc_url = mmsc_url
        self.fetching = fetching
        self.report_allowed = report_allowed
        self.version = version
        self.inbox = Inbox()
        self._watch = watch
        self._changed = asyncio.Condition()
        self._headers = {"User-Agent": user_agent, "Accept": f"*/*, {MMS_MESSAGE}"}
        if identity_header:
            self._headers[identity_header] = number.lstrip("+")
        self._session: aiohttp.ClientSession | None = None
        self._sent = 0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, headers=self._headers, auto_decompress=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    # --- what the SMSC brings ---

    async def on_push(self, octets: bytes) -> None:
        """A WAP push: a notification or a report."""
        try:
            pdu = mm1.decode(decode_push(octets).data).message
        except DecodeError as error:
            text = f"push: {error}"
            await self._note(lambda: self.inbox.failures.append(text))
            return
        self._watch("push", pdu)
        if isinstance(pdu, MDeliveryInd):
            await self._note(lambda: self.inbox.reports.append(pdu))
        elif isinstance(pdu, MNotificationInd):
            await self._note(lambda: self.inbox.notifications.append(pdu))
            await self._react(pdu)
        elif isinstance(pdu, MCancelReq):
            await self._forget(pdu)

    async def on_sms(self, text: str) -> None:
        """A plain SMS."""
        await self._note(lambda: self.inbox.texts.append(text))

    async def _forget(self, request: MCancelReq) -> None:
        """The MM that is cancelled goes, and its sender hears of it (m-cancel-conf)."""

        def forget() -> None:
            self.inbox.messages = [one for one in self.inbox.messages if one.conf.message_id != request.cancel_id]
            self.inbox.cancelled.append(request)

        await self._note(forget)
        status = mm1.CancelStatus.SUCCESSFULLY_RECEIVED
        await self._post(MCancelConf(mms_version=0x13, transaction_id=request.transaction_id, cancel_status=status))

    async def _react(self, notification: MNotificationInd) -> None:
        match self.fetching:
            case Fetching.IMMEDIATE:
                if await self.get(notification) is not None:
                    await self.answer(notification.transaction_id, Status.RETRIEVED)
            case Fetching.SILENT:
                await self.get(notification)
            case Fetching.DEFERRED:
                await self.answer(notification.transaction_id, Status.DEFERRED)
            case Fetching.REJECT:
                await self.answer(notification.transaction_id, Status.REJECTED)
            case Fetching.UNRECOGNISED:
                await self.answer(notification.transaction_id, Status.UNRECOGNISED)
            case Fetching.NEVER:
                return

    # --- what the user does ---

    async def fetch(self, notification: MNotificationInd) -> Message | None:
        """Download a deferred MM and acknowledge it."""
        message = await self.get(notification)
        if message is not None and message.conf.transaction_id:
            acknowledge = MAcknowledgeInd(
                mms_version=self.version,
                transaction_id=message.conf.transaction_id,
                report_allowed=self.report_allowed,
            )
            await self._post(acknowledge)
        return message

    async def get(self, notification: MNotificationInd) -> Message | None:
        """GET the Content-Location; None when there is no MM behind it (see `inbox.failures`)."""
        location = notification.content_location or ""
        status, body = await self._request("GET", location)
        if status != 200:
            await self._note(lambda: self.inbox.failures.append(f"GET {location}: HTTP {status}"))
            return None
        return await self._opened(body)

    async def _opened(self, body: bytes) -> Message | None:
        try:
            pdu = mm1.decode(body).message
            assert isinstance(pdu, MRetrieveConf)
            message = Message(pdu, index_multipart(pdu.body))
        except (DecodeError, AssertionError) as error:
            text = f"m-retrieve-conf: {error}"
            await self._note(lambda: self.inbox.failures.append(text))
            return None
        self._watch("in", pdu)
        status = pdu.retrieve_status
        if status is not None and status is not mm1.RetrieveStatus.OK:
            await self._note(lambda: self.inbox.failures.append(f"m-retrieve-conf: {status.name}"))
            return None
        await self._note(lambda: self.inbox.messages.append(message))
        return message

    async def answer(self, transaction_id: str, status: Status) -> None:
        """Post an m-notifyresp-ind."""
        await self._post(
            MNotifyRespInd(
                mms_version=self.version,
                transaction_id=transaction_id,
                status=status,
                report_allowed=self.report_allowed,
            )
        )

    async def send(
        self,
        to: list[str],
        parts: list[Part],
        *,
        subject: str = "",
        delivery_report: bool = False,
        content_type: ContentType = MIXED,
        cc: tuple[str, ...] = (),
        bcc: tuple[str, ...] = (),
    ) -> MSendConf:
        """Submit an MM. Raises DecodeError when the answer is no m-send-conf."""
        self._sent += 1
        pdu = MSendReq(
            mms_version=self.version,
            transaction_id=f"{self.number.lstrip('+')}-{self._sent}",
            from_=mm1.INSERT_ADDRESS,
            to=tuple(to),
            cc=cc,
            bcc=bcc,
            subject=subject or None,
            delivery_report=delivery_report,
            content_type=content_type,
            body=encode_multipart(parts),
        )
        status, body = await self._post(pdu)
        if status != 200:
            raise DecodeError(f"HTTP {status} instead of an m-send-conf")
        conf = mm1.decode(body).message
        if not isinstance(conf, MSendConf):
            raise DecodeError(f"{type(conf).__name__} instead of an m-send-conf")
        self._watch("in", conf)
        return conf

    async def tell_read(self, message_id: str, sender: str, *, read: bool = True) -> int:
        """Its user read an MM, or deleted it unread (m-read-rec-ind, OMA-TS-MMS_ENC 6.6.1); the HTTP status."""
        pdu = MReadRecInd(
            mms_version=self.version,
            message_id=message_id,
            to=(sender,),
            from_=mm1.INSERT_ADDRESS,
            read_status=mm1.ReadStatus.READ if read else mm1.ReadStatus.DELETED_WITHOUT_BEING_READ,
        )
        status, _ = await self._post(pdu)
        return status

    async def open_link(self, url: str) -> tuple[int, bytes]:
        """What a browser on the phone gets."""
        return await self._request("GET", url)

    async def until(self, arrived: Callable[[Inbox], bool], seconds: float = 15.0) -> Inbox:
        """Wait until the inbox is as wanted. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: arrived(self.inbox))
        return self.inbox

    async def _note(self, change: Callable[[], None]) -> None:
        async with self._changed:
            change()
            self._changed.notify_all()

    async def _post(self, pdu: Pdu) -> tuple[int, bytes]:
        self._watch("out", pdu)
        return await self._request("POST", self.mmsc_url, mm1.encode(pdu))

    async def _request(self, method: str, url: str, body: bytes | None = None) -> tuple[int, bytes]:
        assert self._session is not None, "use the handset as a context manager"
        headers = {"Content-Type": MMS_MESSAGE} if body is not None else {}
        async with self._session.request(method, url, data=body, headers=headers, allow_redirects=False) as response:
            return response.status, await response.read()
