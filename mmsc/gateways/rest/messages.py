"""REST: messages. The list and the search, one with its recipients and events, and what can be done about it."""

from typing import Annotated, Final

import msgspec

from mmsc.control.acting import MOST_AT_ONCE, Outcome
from mmsc.control.messages import (
    EventSeen,
    MessageDetail,
    MessagePage,
    RecipientPage,
    gone_in_words,
    other_run_in_words,
)
from mmsc.control.query import LONGEST, QueryError, parse
from mmsc.domain.searching import MessageQuery
from mmsc.engine.acting import Action
from mmsc.engine.queries.messages import Gone
from mmsc.gateways.rest.endpoint import LARGEST_ID, Answer, Call, Endpoint, Problem, number_in
from mmsc.gateways.rest.shapes import shape_of, shaped

LARGEST_PAGE: Final = 500
_TAG: Final = "messages"
_ONE: Final = "/messages/{id}"
ID: Final = {"id": "the message's number (`mm_id`)"}
Id = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_ID)]
IdText = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,19}$")]
Query = Annotated[str, msgspec.Meta(max_length=LONGEST)]
_LANGUAGE: Final = (
    "`q` is what the search box takes: words (a number, an identifier, text), `state:` `from:` `to:` `vasp:` `peer:`"
    " `smsc:` `finding:` `fault:` `run:` `since:1h` `until:14:05` `size:>300k` `path:mm7`, quotes, `-` for what must"
    " not be. A search that takes over 150 ms of reading says so (`stopped`), and goes on with `more`."
)


class ListQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which messages: those with numbers below `before` (`more` of the page before)."""

    q: Query = ""
    before: Id | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_PAGE)] = 50


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of a list: what comes behind `after`."""

    after: Id = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200


class Events(msgspec.Struct, frozen=True):
    """Some events, oldest first. `more`: the `after` of the next page, null when this is the last."""

    events: list[EventSeen]
    more: str | None


class InRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`run`: only if it is of this run."""

    run: Annotated[str, msgspec.Meta(max_length=64)] = ""


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do, and for which recipients (their ids); without any for all."""

    action: Action
    recipients: Annotated[list[IdText], msgspec.Meta(max_length=10_000)] | None = None


class ActOnMany(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do for all recipients of these messages."""

    action: Action
    ids: Annotated[list[IdText], msgspec.Meta(max_length=MOST_AT_ONCE)]


def query_of(call: Call, text: str) -> MessageQuery:
    """What somebody looks for. Raises Problem 400, which says where the query is wrong."""
    control = call.control
    try:
        return parse(text, control.clock.now(), control.engine.numbers)
    except QueryError as error:
        raise Problem(400, f"q, at character {error.position}: {error}") from error


def problem_of(mm_id: int, gone: Gone) -> Problem:
    """Why there is no such message: 410 for what was there once."""
    return Problem(410 if gone.removed_at is not None else 404, gone_in_words(mm_id, gone))


async def _listed(call: Call) -> Answer:
    asked: ListQuery = call.query
    page = await call.control.messages.find(query_of(call, asked.q), asked.before, asked.limit)
    return Answer(shaped(page))


async def _one(call: Call) -> Answer:
    mm_id = number_in(call, "id")
    found = await call.control.messages.one(mm_id)
    if isinstance(found, Gone):
        raise problem_of(mm_id, found)
    if elsewhere := other_run_in_words(found.row, call.query.run):
        raise Problem(404, elsewhere)
    return Answer(shaped(found))


async def _recipients(call: Call) -> Answer:
    mm_id = await _there(call)
    page = await call.control.messages.recipients(mm_id, call.query.after, call.query.limit)
    return Answer(shaped(page))


async def _events(call: Call) -> Answer:
    mm_id = await _there(call)
    found = await call.control.messages.events(mm_id, call.query.after, call.query.limit)
    more = found[-1].id if len(found) == call.query.limit else None
    return Answer(shaped(Events(found, more)))


async def _act(call: Call) -> Answer:
    mm_id = await _there(call)
    asked: Act = call.body
    chosen = None if asked.recipients is None else _numbers(asked.recipients)
    return Answer(await call.control.acting.act(asked.action, mm_id, "rest", chosen))


async def _act_on_many(call: Call) -> Answer:
    asked: ActOnMany = call.body
    return Answer(await call.control.acting.act_on_many(asked.action, _numbers(asked.ids), "rest"))


async def _there(call: Call) -> int:
    mm_id = number_in(call, "id")
    found = await call.control.messages.row(mm_id)
    if isinstance(found, Gone):
        raise problem_of(mm_id, found)
    return mm_id


def _numbers(texts: list[str]) -> list[int]:
    """Ids; one that is larger than any leads nowhere."""
    return [number for one in texts if (number := int(one)) <= LARGEST_ID]


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/messages",
        summary="Messages, newest first, or those that are looked for",
        tag=_TAG,
        handle=_listed,
        query=ListQuery,
        answers={200: shape_of(MessagePage)},
        examples={"q": "state:expired to:+1555", "limit": 50},
        description=_LANGUAGE,
    ),
    Endpoint(
        method="POST",
        path="/messages/actions",
        summary="Retry, expire or cancel several messages now",
        tag=_TAG,
        handle=_act_on_many,
        body=ActOnMany,
        answers={200: Outcome},
        examples={"body": {"action": "cancel", "ids": ["1740800000000000000"]}},
    ),
    Endpoint(
        method="GET",
        path=_ONE,
        summary="One message: its reason, recipients with their evidence, and what is due",
        tag=_TAG,
        handle=_one,
        query=InRun,
        answers={200: shape_of(MessageDetail)},
        problems=(410,),
        parameters=ID,
    ),
    Endpoint(
        method="GET",
        path=f"{_ONE}/recipients",
        summary="The recipients of a message",
        tag=_TAG,
        handle=_recipients,
        query=Page,
        answers={200: shape_of(RecipientPage)},
        problems=(410,),
        parameters=ID,
    ),
    Endpoint(
        method="GET",
        path=f"{_ONE}/events",
        summary="What happened to a message, oldest first; `data` as it is stored",
        tag=_TAG,
        handle=_events,
        query=Page,
        answers={200: shape_of(Events)},
        problems=(410,),
        parameters=ID,
    ),
    Endpoint(
        method="POST",
        path=f"{_ONE}/actions",
        summary="Retry, expire or cancel now, for all recipients or some",
        tag=_TAG,
        handle=_act,
        body=Act,
        answers={200: Outcome},
        problems=(410,),
        parameters=ID,
        examples={"body": {"action": "retry"}},
    ),
)
