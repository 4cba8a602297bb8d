"""REST: the phones of the lab. What they do here goes over MM1 and through the SMSC, like any phone's.

An item's number counts up on its handset and is never given again, so `after` of a wait misses nothing.
"""

import base64
import binascii
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import msgspec
from aiohttp import web

from mmsc.control import phones as values
from mmsc.control.phones import Behaviour, Draft, Handset, HandsetItem, PhoneRefuses
from mmsc.domain.media_files import disposition
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem
from mmsc.gateways.rest.handset_bodies import (
    Coverage,
    File,
    Handsets,
    HandsetWaitEnded,
    Items,
    Number,
    ReadReport,
    Reply,
    SentAndReceived,
    To,
    Wanted,
    Which,
    Writing,
)

_PLACE: Final = "/handsets"
_ONE: Final = f"{_PLACE}/{{number}}"
_ITEM: Final = f"{_ONE}/inbox/{{item}}"
_NOT_HERE: Final = "there are no phones: they need the built-in SMSC ([builtin_smsc]) and MM1"


def _phones(call: Call) -> values.Phones:
    if call.control.phones is None:
        raise Problem(404, _NOT_HERE)
    return call.control.phones


def _phone(call: Call) -> values.Phone:
    found = _phones(call).one(call.path["number"].removeprefix("+"))
    if found is None:
        raise Problem(404, f"{call.path['number'][:40]!r} is no subscriber with a phone")
    return found


def _item(call: Call, phone: values.Phone) -> values.Item:
    text = call.path["item"]
    found = phone.box.one(int(text)) if text.isascii() and text.isdecimal() and len(text) < 16 else None
    if found is None:
        raise Problem(404, f"there is no item {text[:20]!r} on this phone (any more)")
    return found


async def _listed(call: Call) -> Answer:
    return Answer(Handsets([values.row_of(one) for one in _phones(call).listed()]))


async def _added(call: Call) -> Answer:
    phones = _phones(call)
    try:
        phone = phones.add(call.body.number, mms=call.body.mms)
    except PhoneRefuses as error:
        raise Problem(400, str(error)) from error
    return Answer(values.handset_of(phones, phone), 201)


async def _one(call: Call) -> Answer:
    phone = _phone(call)
    return Answer(values.handset_of(_phones(call), phone))


async def _behave(call: Call) -> Answer:
    phone = _phone(call)
    _change(phone, call.body)
    return Answer(values.handset_of(_phones(call), phone))


async def _cover(call: Call) -> Answer:
    phone = _phone(call)
    _change(phone, msgspec.structs.replace(values.behaviour_of(phone.settings), coverage=call.body.on))
    return Answer(values.handset_of(_phones(call), phone))


def _change(phone: values.Phone, behaviour: Behaviour) -> None:
    try:
        phone.change(behaviour.settings())
    except PhoneRefuses as error:
        raise Problem(400, str(error)) from error


async def _inbox(call: Call) -> Answer:
    kind, after = call.query.kind, call.query.after
    found = [one for one in _phone(call).box.all() if one.number > after and kind in (None, one.kind)]
    return Answer(Items([values.item_of(one) for one in found]))


async def _emptied(call: Call) -> Answer:
    phone = _phone(call)
    phone.box.clear()
    phone.lines.clear()
    return Answer(status=204)


async def _lines(call: Call) -> Answer:
    return Answer(SentAndReceived([values.line_of(one) for one in _phone(call).lines.all()]))


async def _wait(call: Call) -> Answer:
    wanted = call.query
    try:
        found = await _phone(call).arrival(_wanted(wanted), wanted.after, wanted.timeout)
    except PhoneRefuses as error:
        raise Problem(503, str(error), retry_after="5") from error
    return Answer(HandsetWaitEnded(found is not None, None if found is None else values.item_of(found)))


def _wanted(wanted: Wanted) -> Callable[[values.Item], bool]:
    return lambda one: (
        one.kind is wanted.kind
        and wanted.state in (None, one.state)
        and one.who.startswith(wanted.who)
        and (wanted.contains in one.subject or wanted.contains in one.text)
    )


async def _shown(call: Call) -> Answer:
    return Answer(values.item_of(_item(call, _phone(call))))


async def _part(call: Call) -> web.Response:
    sources = values.sources_of(_item(call, _phone(call)))
    text = call.path["part"]
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and int(text) < len(sources)):
        raise Problem(404, f"the item has {len(sources)} parts, numbered from 0")
    return part_answer(sources[int(text)], int(text))


def part_answer(source: values.Source, number: int) -> web.Response:
    """A part as a file. Nothing of it runs wherever it is opened: what could is a download of no particular type."""
    name, media_type, inline = values.served(source, number)
    headers = {
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": disposition(name, inline=inline),
        "Cache-Control": "no-store",
    }
    answer = web.Response(body=source.octets, headers=headers)
    answer.headers["Content-Type"] = media_type
    return answer


async def _fetched(call: Call) -> Answer:
    phone = _phone(call)
    item = _item(call, phone)
    return await _done(item, phone.fetch(item))


async def _rejected(call: Call) -> Answer:
    phone = _phone(call)
    item = _item(call, phone)
    return await _done(item, phone.reject(item))


async def _read(call: Call) -> Answer:
    phone = _phone(call)
    item = _item(call, phone)
    return await _done(item, phone.read(item, deleted=call.body.deleted))


async def _deleted(call: Call) -> Answer:
    phone = _phone(call)
    await phone.delete(_item(call, phone))
    return Answer(status=204)


async def _forwarded(call: Call) -> Answer:
    phone = _phone(call)
    item = _item(call, phone)
    if not call.body.with_content:
        return await _done(item, phone.pass_on(item, call.body.to))
    subject = f"Fw: {item.subject}".strip()
    draft = Draft(to=tuple(call.body.to), subject=subject, answers=item.number, with_content=True)
    return await _sent(phone, draft)


async def _replied(call: Call) -> Answer:
    phone = _phone(call)
    item, given = _item(call, phone), call.body
    if not item.who:
        raise Problem(409, "it tells no sender")
    subject = f"Re: {item.subject}".strip() if given.subject is None else given.subject
    draft = Draft(
        to=(item.who,),
        subject=subject,
        texts=(given.text,),
        attachments=_files(given.files),
        delivery_report=given.delivery_report,
        read_report=given.read_report,
        answers=item.number,
        with_content=given.with_content,
    )
    return await _sent(phone, draft)


async def _written(call: Call) -> Answer:
    given = call.body
    if not (given.to or given.cc or given.bcc):
        raise Problem(400, "name at least one recipient in to, cc or bcc")
    draft = Draft(
        to=tuple(given.to),
        cc=tuple(given.cc),
        bcc=tuple(given.bcc),
        subject=given.subject,
        texts=tuple(given.texts),
        attachments=_files(given.files),
        delivery_report=given.delivery_report,
        read_report=given.read_report,
    )
    return await _sent(_phone(call), draft)


def _files(given: list[File]) -> tuple[values.Attachment, ...]:
    try:
        return tuple(
            values.Attachment(one.name, base64.b64decode(one.data, validate=True), one.content_type) for one in given
        )
    except (binascii.Error, ValueError) as error:
        raise Problem(400, f"a file's data is no base64: {error}") from error


async def _sent(phone: values.Phone, draft: Draft) -> Answer:
    try:
        item = await phone.send(draft)
    except PhoneRefuses as error:
        raise Problem(409, str(error)) from error
    return Answer(values.item_of(item), 201)


async def _done(item: values.Item, work: Coroutine[Any, Any, object]) -> Answer:
    """What became of an item after its user did something; what the MMSC made of it stands in the item."""
    try:
        await work
    except PhoneRefuses as error:
        raise Problem(409, str(error)) from error
    return Answer(values.item_of(item))


_NUMBER: Final = {"number": "a subscriber's number, digits with or without +"}
_EXAMPLES: Final = {"number": "15550000001", "item": "1", "part": "0"}
_NUMBER_AND_ITEM: Final = {**_NUMBER, "item": "the item's number"}


def _endpoint(
    method: str,
    path: str,
    summary: str,
    handle: Callable[[Call], Coroutine[Any, Any, Answer | web.StreamResponse]],
    answers: dict[int, Any],
    *,
    problems: tuple[int, ...] = (404,),
    examples: Mapping[str, Any] = {},
    **more: Any,
) -> Endpoint:
    named = {name: what for name, what in (*_NUMBER_AND_ITEM.items(), ("part", "from 0")) if f"{{{name}}}" in path}
    return Endpoint(
        method=method,
        path=path,
        summary=summary,
        tag="phones",
        handle=handle,
        answers=answers,
        problems=problems,
        parameters=named,
        examples={**{name: _EXAMPLES[name] for name in named}, **examples},
        **more,  # query and body
    )


ENDPOINTS: Final = (
    _endpoint("GET", _PLACE, "The phones of the lab", _listed, {200: Handsets}),
    _endpoint(
        "POST",
        _PLACE,
        "A phone for a number that is no subscriber",
        _added,
        {201: Handset},
        problems=(400, 404),
        body=Number,
    ),
    _endpoint("GET", _ONE, "A phone", _one, {200: Handset}),
    _endpoint(
        "PUT",
        f"{_ONE}/behaviour",
        "What a phone does from now on",
        _behave,
        {200: Handset},
        problems=(400, 404),
        body=Behaviour,
    ),
    _endpoint(
        "PUT", f"{_ONE}/coverage", "Take a phone out of coverage, or back", _cover, {200: Handset}, body=Coverage
    ),
    _endpoint("GET", f"{_ONE}/lines", "What a phone sent and received", _lines, {200: SentAndReceived}),
    _endpoint(
        "GET",
        f"{_ONE}/wait",
        "Wait until something arrives, or the time is over",
        _wait,
        {200: HandsetWaitEnded},
        query=Wanted,
        problems=(404, 503),
        examples={"timeout": 0.1},
    ),
    _endpoint(
        "POST", f"{_ONE}/send", "Write and send an MM", _written, {201: HandsetItem}, problems=(404, 409), body=Writing
    ),
    _endpoint("GET", f"{_ONE}/inbox", "What is on a phone", _inbox, {200: Items}, query=Which),
    _endpoint("DELETE", f"{_ONE}/inbox", "Empty a phone", _emptied, {204: None}),
    _endpoint("GET", _ITEM, "Something on a phone", _shown, {200: HandsetItem}),
    _endpoint("DELETE", _ITEM, "Delete something on a phone", _deleted, {204: None}),
    _endpoint("GET", f"{_ITEM}/parts/{{part}}", "A part of an MM", _part, {200: "application/octet-stream"}),
    _endpoint(
        "POST",
        f"{_ITEM}/fetch",
        "Fetch an MM that waits",
        _fetched,
        {200: HandsetItem},
        problems=(404, 409),
    ),
    _endpoint("POST", f"{_ITEM}/reject", "Reject an MM that waits", _rejected, {200: HandsetItem}, problems=(404, 409)),
    _endpoint(
        "POST", f"{_ITEM}/read", "Send a read report", _read, {200: HandsetItem}, problems=(404, 409), body=ReadReport
    ),
    _endpoint(
        "POST",
        f"{_ITEM}/forward",
        "Pass an MM on: 200 by its location, 201 as a new MM",
        _forwarded,
        {200: HandsetItem, 201: HandsetItem},
        problems=(404, 409),
        body=To,
    ),
    _endpoint("POST", f"{_ITEM}/reply", "Answer an MM", _replied, {201: HandsetItem}, problems=(404, 409), body=Reply),
)
