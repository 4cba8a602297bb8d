"""How far MMs have been sent to handsets that fetch them in pieces.

An MM counts as fetched when its last octet was handed to the socket and no octet before it was passed over. Of an
answer that broke off the handset alone knows how much arrived: it may go on anywhere within. A restart, or another
node, knows nothing of pieces before: the handset's own answer tells then that it has the MM.
"""

from collections import OrderedDict
from typing import Final

from mmsc.domain.message import RecipientId
from mmsc.net.http_ranges import OctetRange

MAXIMUM_UNFINISHED: Final = 1000  # MMs; of the oldest beyond that nothing is remembered


class Progress:
    """Of one node."""

    def __init__(self) -> None:
        self._reached: OrderedDict[RecipientId, tuple[str, int]] = OrderedDict()  # (entity tag, octets from the first)

    def sent(self, recipient_id: RecipientId, entity_tag: str, piece: OctetRange, *, whole: bool) -> bool:
        """A piece of this MM was handed to the socket, or (not `whole`) a part of it that nobody knows; whether all of
        the MM was by now."""
        if piece.is_whole and whole:
            if self._reached:
                self._reached.pop(recipient_id, None)
            return True
        tag, reached = self._reached.pop(recipient_id, ("", 0))
        if tag != entity_tag:
            reached = 0
        if piece.start <= reached:
            reached = max(reached, piece.end if whole else piece.end - 1)
        if whole and piece.end == piece.total and reached == piece.total:
            return True
        if reached:
            self._reached[recipient_id] = (entity_tag, min(reached, piece.total - 1))
            if len(self._reached) > MAXIMUM_UNFINISHED:
                self._reached.popitem(last=False)
        return False
