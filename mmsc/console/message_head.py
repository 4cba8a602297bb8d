"""What stands above every page of a message: subject, parties, state, the reason in one sentence, and the tabs."""

from typing import Final

from aiohttp import web

from mmsc.console.page import control_of
from mmsc.control.messages import MessageDetail, gone_in_words, other_run_in_words
from mmsc.engine.queries.messages import Gone
from protocols.records import record

_BAD_FIRST: Final = (
    *("rejected", "unrecognised", "expired", "unreachable", "condition_not_met", "indeterminate"),
    *("deferred", "scheduled", "accepted", "notified", "link_sent", "relayed", "cancelled"),
    *("retrieved", "link_viewed", "forwarded"),
)
_LONGEST_ID: Final = 19  # digits
_NO_SUBJECT: Final = "No subject"


@record(frozen=True, slots=True)
class MessageView:
    """A message as its pages show it."""

    id: int
    detail: MessageDetail

    @property
    def subject(self) -> str:
        """Its subject, or that it has none."""
        return self.detail.row.subject or _NO_SUBJECT

    @property
    def title(self) -> str:
        """Of the browser's tab: `retrieved · Storm warning, Friday`."""
        states = self.states
        return f"{states[0][0]} · {self.subject}" if states else self.subject

    @property
    def states(self) -> list[tuple[str, str]]:
        """States with how many recipients are in each ("" for a single one), bad ones first."""
        told = {str(state): count for state, count in self.detail.row.states.items()}
        several = self.detail.row.recipient_count > 1
        order = sorted(told, key=lambda one: _BAD_FIRST.index(one) if one in _BAD_FIRST else 0)
        return [(one, f"{told[one]:,}" if several else "") for one in order]

    @property
    def whom(self) -> str:
        """Its recipients, as far as they fit."""
        row = self.detail.row
        rest = row.recipient_count - len(row.recipients[:2])
        return ", ".join(row.recipients[:2]) + (f" +{rest:,}" if rest > 0 else "")

    @property
    def whence(self) -> str:
        """Neighbour and sender."""
        row = self.detail.row
        return row.sender if row.neighbour in ("", row.sender) else f"{row.neighbour} {row.sender}"


def number_of(request: web.Request) -> int:
    """The id in the path, 404 for one that is none."""
    found = id_in(request.match_info["mm_id"])
    if found is None:
        raise web.HTTPNotFound(reason=f"{request.match_info['mm_id'][:40]} is no id of a message")
    return found


def id_in(text: str) -> int | None:
    """The id that a text is: decimal, 63 bits."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID
    return int(text) if is_number and int(text) < 1 << 63 else None


def has_route(request: web.Request, start: str, end: str) -> bool:
    """Whether a page is there that begins and ends so."""
    found = (one.canonical for one in request.app.router.resources())
    return any(one.startswith(start) and one.endswith(end) for one in found)


async def message_of(request: web.Request, recipients: int = 1) -> MessageView:
    """The message in the path. 410 for what retention removed; 404 says whether it is not here, is there no longer,
    or is not of the run that the address asks for."""
    mm_id = number_of(request)
    detail = await control_of(request).messages.one(mm_id, recipients)
    if isinstance(detail, Gone):
        kind = web.HTTPNotFound if detail.removed_at is None else web.HTTPGone
        raise kind(reason=gone_in_words(mm_id, detail))
    if elsewhere := other_run_in_words(detail.row, request.query.get("run", "")):
        raise web.HTTPNotFound(reason=elsewhere)
    return MessageView(mm_id, detail)
