"""The MMBox over MM1: m-mbox-store, -view, -upload and -delete, and m-delete-req (OMA-TS-MMS_ENC 6). Each is answered
by its own conf with HTTP 200, also when it is refused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mmsc.clock import Clock
from mmsc.domain.address import Address
from mmsc.domain.mmbox import BoxTotals, NotKept
from mmsc.engine.box_ports import Boxes, BoxView, Place
from mmsc.gateways.mm1 import mmbox_translate as words
from mmsc.gateways.mm1.asked import MMS_MESSAGE, Asked, pdu_answer
from mmsc.gateways.repeats import repeat_key
from mmsc.net.http import HttpAnswer
from protocols import mm1
from protocols.content_type import ContentType
from protocols.errors import ProtocolError
from protocols.mm1 import Flagged, Indexed, MMboxDescr, Pdu, ResponseStatus, StoreStatus
from protocols.wsp.multipart import Part, encode_multipart

_MIXED: Final = ContentType("application/vnd.wap.multipart.mixed")
_DENIED: Final = (ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED, "no subscriber identity")
_NO_IDENTITY: Final = {
    "store_status": StoreStatus.ERROR_PERMANENT_SERVICE_DENIED,
    "store_status_text": "no subscriber identity",
}
_NOWHERE: Final = Place("", boxed=True)  # a location that is not one of ours: nothing is there
_NOTHING: Final = encode_multipart([])
_LONGEST_HEAD: Final = 64 * 1024  # octets that an upload tells beside its content: the quota counts content alone
_MOST_TOLD: Final = 1024 * 1024  # octets that a view tells beside content; its client asks for the next ones
Failed = tuple[ResponseStatus, str]


class MmboxRequests:
    """Hands them to the engine."""

    def __init__(self, boxes: Boxes, clock: Clock, url: Callable[[], str]) -> None:
        """`url` is where MM1 is reached: Content-Locations begin with it."""
        self._boxes = boxes
        self._clock = clock
        self._url = url

    @property
    def handlers(self) -> Mapping[type[Pdu], Any]:
        """Who answers what."""
        return {
            mm1.MMboxStoreReq: self.store_req,
            mm1.MMboxViewReq: self.view_req,
            mm1.MMboxUploadReq: self.upload_req,
            mm1.MMboxDeleteReq: self.delete_req,
            mm1.MDeleteReq: self.delete_waiting_req,
        }

    def _offers(self, asked: Asked[Pdu]) -> bool:
        return self._boxes.enabled and asked.pdu.mms_version >= mm1.VERSION_1_2

    # --- m-mbox-store ---

    async def store_req(self, asked: Asked[mm1.MMboxStoreReq]) -> HttpAnswer:
        """m-mbox-store-req to m-mbox-store-conf."""
        return self._store_conf(asked, await self._stored(asked))

    async def _stored(self, asked: Asked[mm1.MMboxStoreReq]) -> dict[str, Any]:
        pdu = asked.pdu
        if asked.identity is None:
            return _NO_IDENTITY
        if not self._offers(asked):
            return words.stored_fields(NotKept.NOT_OFFERED, "")
        place = words.place_of(pdu.content_location or "") or _NOWHERE
        keeping = words.keeping_of(pdu.mm_state, pdu.mm_flags)
        return words.stored_fields(await self._boxes.store(asked.identity, place, keeping, asked.evidence), self._url())

    def _store_conf(self, asked: Asked[mm1.MMboxStoreReq], fields: dict[str, Any]) -> HttpAnswer:
        transaction_id = asked.pdu.transaction_id
        conf = mm1.MMboxStoreConf(mms_version=asked.version, transaction_id=transaction_id, **fields)
        return _answer(conf, transaction_id, asked.identity)

    # --- m-mbox-upload ---

    async def upload_req(self, asked: Asked[mm1.MMboxUploadReq]) -> HttpAnswer:
        """m-mbox-upload-req to m-mbox-upload-conf."""
        fields = await self._uploaded(asked)
        transaction_id = asked.pdu.transaction_id
        conf = mm1.MMboxUploadConf(mms_version=asked.version, transaction_id=transaction_id, **fields)
        return _answer(conf, transaction_id, asked.identity)

    async def _uploaded(self, asked: Asked[mm1.MMboxUploadReq]) -> dict[str, Any]:
        pdu, owner = asked.pdu, asked.identity
        if owner is None:
            return _NO_IDENTITY
        if not self._offers(asked):
            return words.stored_fields(NotKept.NOT_OFFERED, "")
        try:
            descr = _descr_in(pdu)
            told, content = words.told_of_upload(descr, owner, self._clock.now())
            octets = mm1.encode(pdu)
            # what could be read and cannot be written again is no better
            written = mm1.encode(replace(descr, content_location="/"))
        except ProtocolError as error:
            return {
                "store_status": StoreStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT,
                "store_status_text": error.why[:200],
            }
        if len(written) - len(descr.body) > _LONGEST_HEAD:
            return words.stored_fields(NotKept.TOO_LARGE, "")
        key = repeat_key("mm1", str(owner), "m-mbox-upload-req", pdu.transaction_id, content=(octets,))
        keeping = words.keeping_of((*descr.mm_state, *pdu.mm_state), (*descr.mm_flags, *pdu.mm_flags))
        kept = await self._boxes.upload(owner, content, told, keeping, key)
        return words.stored_fields(kept, self._url())

    # --- m-mbox-view ---

    async def view_req(self, asked: Asked[mm1.MMboxViewReq]) -> HttpAnswer:
        """m-mbox-view-req to m-mbox-view-conf."""
        pdu = asked.pdu
        fields: dict[str, Any] = {
            "content_locations": pdu.content_locations,
            "mm_state": pdu.mm_state,
            "mm_flags": pdu.mm_flags,
            "start": pdu.start,
            "limit": pdu.limit,
            "attributes": pdu.attributes,
            "totals": pdu.totals,
            "quotas": pdu.quotas,
        }
        conf = mm1.MMboxViewConf(
            mms_version=asked.version,
            transaction_id=pdu.transaction_id,
            content_type=_MIXED,
            **{**fields, **await self._viewed(asked)},
        )
        return _answer(conf, pdu.transaction_id, asked.identity)

    async def _viewed(self, asked: Asked[mm1.MMboxViewReq]) -> dict[str, Any]:
        pdu, owner = asked.pdu, asked.identity
        refused = self._refused(asked, pdu.content_locations)
        if refused is not None or owner is None:
            status, text = refused or _DENIED
            return {"response_status": status, "response_text": text, "body": _NOTHING}
        places = _places(pdu.content_locations)
        content = words.CONTENT in pdu.attributes
        found = await self._boxes.view(owner, places, words.selection_of(pdu), content=content)
        if isinstance(found, NotKept):
            status, text = words.RESPONSE_STATUS[found], words.WHY_NOT[found]
            return {"response_status": status, "response_text": text, "body": _NOTHING}
        return self._shown(asked, found)

    def _shown(self, asked: Asked[mm1.MMboxViewReq], found: BoxView) -> dict[str, Any]:
        pdu, url = asked.pdu, self._url()
        parts: list[Part] = []
        told = 0
        for entry, content in found.entries:
            descr = words.descr_of(entry, content, url, pdu.attributes, max(asked.version, mm1.VERSION_1_2))
            octets = mm1.encode(descr)
            told += len(octets) - len(descr.body)
            if parts and told > _MOST_TOLD:
                break
            parts.append(Part(ContentType(MMS_MESSAGE), octets))
        fields: dict[str, Any] = {
            "response_status": ResponseStatus.OK,
            "message_count": len(parts),
            "body": encode_multipart(parts),
        }
        if pdu.totals:
            fields["mbox_totals"] = _amounts(found.totals)
        if pdu.quotas:
            fields["mbox_quotas"] = _amounts(found.quotas)
        if text := _left_out(pdu, found, len(parts)):
            fields["response_text"] = text
        if found.missing and found.missing == len(pdu.content_locations):
            fields["response_status"] = ResponseStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND
        return fields

    def _refused(self, asked: Asked[Pdu], locations: Sequence[str]) -> Failed | None:
        """Why a request about the box is not looked at."""
        if asked.identity is None:
            return _DENIED
        if not self._offers(asked):
            return words.RESPONSE_STATUS[NotKept.NOT_OFFERED], words.WHY_NOT[NotKept.NOT_OFFERED]
        return self._too_many(locations)

    def _too_many(self, locations: Sequence[str]) -> Failed | None:
        most = self._boxes.maximum_locations
        if len(locations) <= most:
            return None
        return ResponseStatus.ERROR_PERMANENT_FAILURE, f"{len(locations)} locations, at most {most} are taken"

    # --- m-mbox-delete, m-delete ---

    async def delete_req(self, asked: Asked[mm1.MMboxDeleteReq]) -> HttpAnswer:
        """m-mbox-delete-req to m-mbox-delete-conf."""
        locations = asked.pdu.content_locations
        refused = self._refused(asked, locations)
        fields = _all_refused(refused)
        if refused is None and asked.identity is not None:
            fields = _indexed(locations, await self._boxes.delete(asked.identity, _places(locations)))
        transaction_id = asked.pdu.transaction_id
        conf = mm1.MMboxDeleteConf(mms_version=asked.version, transaction_id=transaction_id, **fields)
        return _answer(conf, transaction_id, asked.identity)

    async def delete_waiting_req(self, asked: Asked[mm1.MDeleteReq]) -> HttpAnswer:
        """m-delete-req to m-delete-conf; needs no box."""
        locations = asked.pdu.content_locations
        refused = _DENIED if asked.identity is None else self._too_many(locations)
        fields = _all_refused(refused)
        if refused is None and asked.identity is not None:
            fields = _indexed(locations, await self._boxes.delete_waiting(asked.identity, _places(locations)))
        transaction_id = asked.pdu.transaction_id
        conf = mm1.MDeleteConf(mms_version=asked.version, transaction_id=transaction_id, **fields)
        return _answer(conf, transaction_id, asked.identity)


def _left_out(pdu: mm1.MMboxViewReq, found: BoxView, shown: int) -> str:
    """What the view has not, for X-Mms-Response-Text: places of nothing, and contents too large for it."""
    bare = sum(content is None for _, content in found.entries[:shown]) if words.CONTENT in pdu.attributes else 0
    told = (
        f"{found.missing} of {len(pdu.content_locations)} are not in the MMBox" if found.missing else "",
        f"{bare} of {shown} without content: too large for a view, or gone; fetch them" if bare else "",
    )
    return "; ".join(filter(None, told))


def _answer(conf: Pdu, transaction_id: str, identity: Address | None) -> HttpAnswer:
    answer = pdu_answer(mm1.for_version(conf, max(conf.mms_version, mm1.VERSION_1_0)), transaction_id=transaction_id)
    answer.neighbour = "" if identity is None else identity.value
    return answer


def _descr_in(pdu: mm1.MMboxUploadReq) -> MMboxDescr:
    """The m-mbox-descr that is uploaded. Raises ProtocolError."""
    descr = mm1.decode(pdu.body).message
    if not isinstance(descr, MMboxDescr) or descr.content_type is None:
        raise ProtocolError("no m-mbox-descr with content is uploaded", clause="OMA-TS-MMS_ENC 6")
    return descr


def _places(locations: Sequence[str]) -> list[Place]:
    return [words.place_of(one) or _NOWHERE for one in locations]


def _amounts(totals: BoxTotals) -> tuple[Flagged, ...]:
    return Flagged(words.MESSAGES, totals.messages), Flagged(words.OCTETS, totals.octets)


def _all_refused(refused: Failed | None) -> dict[str, Any]:
    if refused is None:
        return {}
    return {"response_statuses": (Indexed(0, refused[0]),), "response_texts": (Indexed(0, refused[1]),)}


def _indexed(locations: Sequence[str], results: Sequence[NotKept | None]) -> dict[str, Any]:
    """An entry for each location that failed, counted from 0; where none did, one Ok (7.3.48)."""
    failed = [(where, why) for where, why in zip(locations, results, strict=True) if why is not None]
    if not failed:
        return {"response_statuses": (Indexed(0, ResponseStatus.OK),)}
    return {
        "content_locations": tuple(Indexed(count, where) for count, (where, _) in enumerate(failed)),
        "response_statuses": tuple(Indexed(count, words.RESPONSE_STATUS[why]) for count, (_, why) in enumerate(failed)),
        "response_texts": tuple(Indexed(count, words.WHY_NOT[why]) for count, (_, why) in enumerate(failed)),
    }
