"""The client's half of MM1 (OMA-TS-MMS_ENC 6): every PDU that a user agent sends, and what the MMSC says to it.

It asks and tells; when to do so is the handset's affair (`handset.py`). A request that its conf did not answer raises
`NoConf`; what the conf says is the caller's to judge.
"""

import asyncio
import itertools
import secrets
from collections.abc import Callable, Sequence
from dataclasses import fields
from types import TracebackType
from typing import Any, Final, Self, TypedDict, TypeVar

from mmsc.clock import host_now
from mmsc.lab.handset_http import FAST, Pace, Pause, Transport
from mmsc.lab.handset_profiles import LAB, Profile
from mmsc.lab.readers import objections
from protocols import mm1
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.mm1 import (
    MAcknowledgeInd,
    MCancelConf,
    MDeleteConf,
    MDeleteReq,
    MForwardConf,
    MForwardReq,
    MNotifyRespInd,
    MReadRecInd,
    MSendConf,
    MSendReq,
    Pdu,
    Status,
)
from protocols.mm1.enums import in_words
from protocols.wsp.multipart import Part, encode_multipart
from protocols.wsp.push import MMS_MESSAGE

MIXED: Final = ContentType("application/vnd.wap.multipart.mixed")
_SECOND: Final = 1_000_000  # the clock counts microseconds
P = TypeVar("P", bound=Pdu)
Ids = Callable[[], str]


class AgentOptions(TypedDict, total=False):
    """What a UserAgent is told of itself; see there."""

    profile: Profile
    user_agent: str
    version: int
    identity_header: str
    proxy: str
    report_allowed: bool | None
    transaction_ids: Ids | None
    now: Callable[[], int]
    pause: Pause
    watch: Callable[[str, Pdu], None]


class NoConf(DecodeError):
    """The request has no answer that its user agent could read. `refused`: the MMSC answered all the same, and says
    no."""

    def __init__(self, why: str, *, offset: int = -1, clause: str = "", refused: bool = False) -> None:
        super().__init__(why, offset=offset, clause=clause)
        self.refused = refused


def counted_ids(number: str) -> Ids:
    """Transaction-IDs that a test can foresee: `15550100123-1` and so on."""
    counter = itertools.count(1)
    return lambda: f"{number.lstrip('+')}-{next(counter)}"


def unique_ids() -> Ids:
    """Transaction-IDs that no other run of a program uses."""
    return lambda: f"T{secrets.token_hex(8)}"


def host_seconds() -> int:
    """Seconds since 1970 by the host's clock."""
    return host_now() // _SECOND


class UserAgent:
    """The client of one MMSC. Use it as an async context manager."""

    def __init__(
        self,
        number: str,
        mmsc_url: str,
        *,
        profile: Profile = LAB,
        user_agent: str = "",
        version: int = 0,
        identity_header: str = "X-MSISDN",
        proxy: str = "",
        report_allowed: bool | None = None,
        transaction_ids: Ids | None = None,
        now: Callable[[], int] = host_seconds,
        pause: Pause = asyncio.sleep,
        watch: Callable[[str, Pdu], None] = lambda direction, pdu: None,
    ) -> None:
        """`user_agent` and `version` (0x12 for 1.2) instead of the profile's; `identity_header` carries the number, as
        an operator's gateway adds it ("": nothing does); `proxy` as in Transport; `now` gives seconds since 1970."""
        self.number = number
        self.mmsc_url = mmsc_url
        self.profile = profile
        self.version = version or profile.version
        self.report_allowed = report_allowed
        self.next_id = transaction_ids or counted_ids(number)
        self._now = now
        self._pause = pause
        self._watch = watch
        self._identity = {identity_header: number.lstrip("+")} if identity_header else {}
        self._transport = Transport(self._introduction(user_agent or profile.user_agent), proxy, pause)

    def become(self, profile: Profile) -> None:
        """Of another family from the next request on."""
        self.profile = profile
        self.version = profile.version
        self._transport.introduce(self._introduction(profile.user_agent))

    def _introduction(self, user_agent: str) -> dict[str, str]:
        headers = {"User-Agent": user_agent, "Accept": ", ".join(self.profile.accept)}
        if self.profile.profile_url:
            headers["x-wap-profile"] = f'"{self.profile.profile_url}"'
        return headers | self._identity

    async def __aenter__(self) -> Self:
        self._transport.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.close()

    # --- requests that have a conf ---

    async def send(
        self,
        to: Sequence[str],
        parts: Sequence[Part],
        *,
        subject: str = "",
        delivery_report: bool | None = False,
        content_type: ContentType = MIXED,
        cc: Sequence[str] = (),
        bcc: Sequence[str] = (),
        sender: str = "",
        **more: Any,
    ) -> MSendConf:
        """Submit an MM (m-send-req). `sender` instead of the insert-address token; `more` are further fields of
        `MSendReq` by name. Raises NoConf, and FAILURES of the transport."""
        pdu = MSendReq(
            mms_version=self.version,
            transaction_id=self.next_id(),
            from_=sender or mm1.INSERT_ADDRESS,
            to=tuple(to),
            cc=tuple(cc),
            bcc=tuple(bcc),
            subject=subject or None,
            delivery_report=delivery_report,
            content_type=content_type,
            body=encode_multipart(parts),
            **more,
        )
        return await self.ask(pdu, MSendConf)

    async def forward(self, location: str, to: Sequence[str], *, sender: str = "", **more: Any) -> MForwardConf:
        """Send an MM on that was not fetched (m-forward-req); `more` are further fields of `MForwardReq`. Raises as
        `send`."""
        pdu = MForwardReq(
            mms_version=self.version,
            transaction_id=self.next_id(),
            from_=sender or mm1.INSERT_ADDRESS,
            to=tuple(to),
            content_location=location,
            **more,
        )
        return await self.ask(pdu, MForwardConf)

    async def delete(self, *locations: str) -> MDeleteConf:
        """Let MMs be forgotten that wait (m-delete-req, of version 1.3). Raises as `send`."""
        pdu = MDeleteReq(
            mms_version=max(self.version, mm1.VERSION_1_3), transaction_id=self.next_id(), content_locations=locations
        )
        return await self.ask(pdu, MDeleteConf)

    async def ask(self, pdu: Pdu, conf: type[P]) -> P:
        """A request, without what its version has no words for, and its conf, which carries the same Transaction-ID.
        Raises NoConf, and FAILURES."""
        sent = mm1.for_version(pdu, pdu.mms_version)
        newer = [one.name for one in fields(pdu) if getattr(pdu, one.name) != getattr(sent, one.name)]
        if newer:
            words = f"{pdu.mms_version >> 4}.{pdu.mms_version & 0x0F}"
            await self.remark(f"left out, for they came after version {words}: {', '.join(newer)}")
        status, body = await self._post(sent)
        if status != 200:
            raise NoConf(f"HTTP {status} instead of an {_name(conf)}{_words(body)}", refused=400 <= status < 500)
        answer = await self.read(body, conf)
        self._watch("in", answer)
        asked, told = getattr(pdu, "transaction_id", ""), getattr(answer, "transaction_id", "")
        if told != asked:
            raise NoConf(f"{_name(conf)} for transaction {told!r}, which is not {asked!r}", clause=conf.clause)
        return answer

    async def read(self, octets: bytes, wanted: type[P]) -> P:
        """A PDU from the MMSC, as far as this family of readers takes it. Raises NoConf."""
        for one in objections(octets, self.profile.reading):
            if one.drops:
                raise NoConf(f"{self.profile.reading} drops it: {one.what}")
            await self.remark(f"{self.profile.reading}: {one.what}")
        try:
            pdu = mm1.decode(octets).message
        except DecodeError as error:
            raise NoConf(error.why, offset=error.offset, clause=error.clause) from error
        if not isinstance(pdu, wanted):
            # What an MMSC does not offer it answers with an m-send-conf (OMA-TS-MMS_ENC 7.3.48).
            refusal = _refusal(pdu)
            raise NoConf(f"{_name(type(pdu))}{refusal} instead of {_name(wanted)}", refused=bool(refusal))
        return pdu

    async def remark(self, text: str) -> None:
        """Something is odd and does no harm."""

    # --- indications ---

    async def answer(
        self, transaction_id: str, status: Status, *, location: str = "", report_allowed: bool | None = None
    ) -> int:
        """Post an m-notifyresp-ind; the HTTP status. `location` is the notification's, for families that post there."""
        pdu = MNotifyRespInd(
            mms_version=self.version,
            transaction_id=transaction_id,
            status=status,
            report_allowed=self.report_allowed if report_allowed is None else report_allowed,
        )
        return (await self._post(pdu, self._where(location)))[0]

    async def acknowledge(self, transaction_id: str, *, location: str = "", report_allowed: bool | None = None) -> int:
        """Post an m-acknowledge-ind for a deferred MM that was fetched; the HTTP status."""
        pdu = MAcknowledgeInd(
            mms_version=self.version,
            transaction_id=transaction_id,
            report_allowed=self.report_allowed if report_allowed is None else report_allowed,
        )
        return (await self._post(pdu, self._where(location)))[0]

    async def tell_read(self, message_id: str, sender: str, *, read: bool = True) -> int:
        """Its user read an MM, or deleted it unread (m-read-rec-ind, OMA-TS-MMS_ENC 6.6.1, of version 1.1); the HTTP
        status."""
        pdu = MReadRecInd(
            mms_version=self.version,
            message_id=message_id,
            to=(sender,),
            from_=mm1.INSERT_ADDRESS,
            date=self._now(),
            read_status=mm1.ReadStatus.READ if read else mm1.ReadStatus.DELETED_WITHOUT_BEING_READ,
        )
        return (await self._post(pdu))[0]

    async def confirm_cancel(self, transaction_id: str, *, understood: bool = True) -> int:
        """Post an m-cancel-conf (of version 1.3); the HTTP status."""
        status = mm1.CancelStatus.SUCCESSFULLY_RECEIVED if understood else mm1.CancelStatus.CORRUPTED
        version = max(self.version, mm1.VERSION_1_3)
        pdu = MCancelConf(mms_version=version, transaction_id=transaction_id, cancel_status=status)
        return (await self._post(pdu))[0]

    async def open_link(self, url: str) -> tuple[int, bytes]:
        """What a browser on the phone gets."""
        return await self._request("GET", url)

    def _where(self, location: str) -> str:
        return location if location and self.profile.answers_to_location else self.mmsc_url

    async def _post(self, pdu: Pdu, url: str = "") -> tuple[int, bytes]:
        self._watch("out", pdu)
        return await self._request("POST", url or self.mmsc_url, mm1.encode(pdu))

    async def _request(self, method: str, url: str, body: bytes | None = None, pace: Pace = FAST) -> tuple[int, bytes]:
        headers = {"Content-Type": MMS_MESSAGE} if body is not None else {}
        return await self._transport.request(method, url, body, headers, pace)


def _name(kind: type[Pdu]) -> str:
    """As OMA-TS-MMS_ENC spells it; "a PDU" for any."""
    return mm1.MessageType(kind.message_type).name.lower().replace("_", "-") if kind is not Pdu else "a PDU"


def _refusal(pdu: Pdu) -> str:
    """What an m-send-conf says, "" where this is none."""
    if not isinstance(pdu, MSendConf) or pdu.response_status is None:
        return ""
    return f" ({' '.join(filter(None, (in_words(pdu.response_status), pdu.response_text)))})"


def _words(body: bytes) -> str:
    """What an HTTP error says, on a line."""
    text = "".join(char if char.isprintable() else " " for char in body[:200].decode("utf-8", "replace")).strip()
    return f": {text}" if text else ""
