"""The GET of an MM in an MMBox (OMA-TS-MMS_ENC 6.3): an m-retrieve-conf that asks for no acknowledgement."""

from mmsc.domain.address import Address
from mmsc.engine.box_ports import Boxed, Boxes, Place
from mmsc.engine.ports import Gone
from mmsc.gateways.mm1.asked import MMS_MESSAGE, NO_CACHE
from mmsc.gateways.mm1.mmbox_translate import retrieve_conf_of
from mmsc.net.http import HttpAnswer
from mmsc.trace.captures import BodyReference
from protocols import mm1


class BoxFetches:
    """Serves `/b/TOKEN`, and `/m/TOKEN` where its MM is to be had from its recipient's box alone."""

    def __init__(self, boxes: Boxes) -> None:
        self._boxes = boxes

    async def get(self, place: Place, identity: Address | None, *, head: bool) -> HttpAnswer | Gone:
        """The MM; `Gone` when it is in no box of this subscriber."""
        found = await self._boxes.open(place, identity)
        if isinstance(found, Gone):
            return found
        entry, body = found.entry, found.content.body
        first = mm1.encode_head(retrieve_conf_of(entry, found.content, mm1.spoken(found.mms_version)))
        answer = HttpAnswer(
            content_type=MMS_MESSAGE,
            body=first + body,
            headers=NO_CACHE,
            neighbour=entry.owner.value,
            reference=BodyReference(entry.content_id, 0, len(body), len(first)),
        )
        if not head:
            self._note(answer, found)
        return answer

    def _note(self, answer: HttpAnswer, found: Boxed) -> None:
        self._boxes.begun(found)

        async def after(whole: bool) -> None:
            if whole:
                await self._boxes.fetched(found)
            else:
                self._boxes.broken_off(found)

        answer.after = after

    async def fetched_outside(self, recipient_id: int) -> None:
        """An MM was fetched where its notification said."""
        await self._boxes.fetched_outside(recipient_id)
