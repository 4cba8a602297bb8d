"""A handset's MMBox, the subscriber's store in the network (OMA-TS-MMS_ENC 6, of version 1.2): keep, look, put,
delete."""

from collections.abc import Sequence
from typing import Any, Final

from mmsc.lab.user_agent import NoConf, UserAgent
from protocols import mm1
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.mm1 import (
    Flagged,
    MMboxDeleteConf,
    MMboxDeleteReq,
    MMboxDescr,
    MMboxStoreConf,
    MMboxStoreReq,
    MMboxUploadConf,
    MMboxUploadReq,
    MMboxViewConf,
    MMboxViewReq,
    MmState,
)
from protocols.records import record
from protocols.wsp.multipart import Part, encode_multipart, index_multipart
from protocols.wsp.push import MMS_MESSAGE

ADD: Final = 0x80  # tokens of X-Mms-MM-Flags (OMA-TS-MMS_ENC 7.3.32)
REMOVE: Final = 0x81
FILTER: Final = 0x82
CONTENT: Final = 0x2E  # X-Mms-Attributes: the MM itself, not only what is said of it
_MIXED: Final = ContentType("application/vnd.wap.multipart.mixed")


@record(frozen=True, slots=True)
class View:
    """What the MMBox showed: the conf, and a description of each MM."""

    conf: MMboxViewConf
    found: tuple[MMboxDescr, ...]


class MmboxClient:
    """Each request raises NoConf, and FAILURES of the transport; what the conf says is the caller's to judge."""

    def __init__(self, agent: UserAgent) -> None:
        self._agent = agent

    async def store(
        self, location: str, *, state: MmState | None = None, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> MMboxStoreConf:
        """Keep an MM that waits, or change state and flags of one that is kept (m-mbox-store-req)."""
        pdu = MMboxStoreReq(
            **self._first(),
            content_location=location,
            mm_state=_states(state),
            mm_flags=(*_flags(ADD, add), *_flags(REMOVE, remove)),
        )
        return await self._agent.ask(pdu, MMboxStoreConf)

    async def view(
        self,
        *locations: str,
        states: Sequence[MmState] = (),
        flags: Sequence[str] = (),
        start: int | None = None,
        limit: int | None = None,
        attributes: Sequence[int] = (),
        totals: bool | None = None,
        quotas: bool | None = None,
    ) -> View:
        """What is kept (m-mbox-view-req); `attributes` are numbers of fields, CONTENT among them for the MMs."""
        pdu = MMboxViewReq(
            **self._first(),
            content_locations=locations,
            mm_state=tuple(states),
            mm_flags=_flags(FILTER, flags),
            start=start,
            limit=limit,
            attributes=tuple(attributes),
            totals=totals,
            quotas=quotas,
        )
        conf = await self._agent.ask(pdu, MMboxViewConf)
        return View(conf, await self._descriptions(conf))

    async def _descriptions(self, conf: MMboxViewConf) -> tuple[MMboxDescr, ...]:
        try:
            parts = index_multipart(conf.body) if conf.body else ()
        except DecodeError as error:
            raise NoConf(f"the body of the m-mbox-view-conf: {error}", clause=conf.clause) from error
        own = [one for one in parts if one.content_type.media_type == MMS_MESSAGE]
        octets = [conf.body[one.data_offset : one.data_offset + one.data_length] for one in own]
        return tuple([await self._agent.read(one, MMboxDescr) for one in octets])

    async def upload(
        self,
        parts: Sequence[Part],
        *,
        content_type: ContentType = _MIXED,
        state: MmState | None = None,
        flags: Sequence[str] = (),
        **more: Any,
    ) -> MMboxUploadConf:
        """Put an MM there, as a draft unless `state` says otherwise (m-mbox-upload-req); `more` are fields of
        `MMboxDescr`."""
        first = self._first()
        # The description must name a place, and only the MMSC knows it: the transaction stands for it until then.
        description = MMboxDescr(
            mms_version=first["mms_version"],
            content_location=f"cid:{first['transaction_id']}",
            content_type=content_type,
            body=encode_multipart(parts),
            **more,
        )
        pdu = MMboxUploadReq(
            **first,
            mm_state=_states(state),
            mm_flags=_flags(ADD, flags),
            content_type=ContentType(MMS_MESSAGE),
            body=mm1.encode(description),
        )
        return await self._agent.ask(pdu, MMboxUploadConf)

    async def delete(self, *locations: str) -> MMboxDeleteConf:
        """Remove MMs (m-mbox-delete-req)."""
        return await self._agent.ask(MMboxDeleteReq(**self._first(), content_locations=locations), MMboxDeleteConf)

    def _first(self) -> dict[str, Any]:
        version = max(self._agent.version, mm1.VERSION_1_2)
        return {"mms_version": version, "transaction_id": self._agent.next_id()}


def _states(state: MmState | None) -> tuple[MmState, ...]:
    return () if state is None else (state,)


def _flags(token: int, values: Sequence[str]) -> tuple[Flagged, ...]:
    return tuple(Flagged(token, one) for one in values)
