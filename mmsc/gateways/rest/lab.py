"""REST: the neighbours that a lab brings. VASPs submit and say what they got, the SMSC has its moods, and whoever waits
for something learns whether anything is still under way.

A server without them (`mmsc serve` in the field) answers 404 to all of it.
"""

from typing import Annotated, Any, Final

import msgspec

from mmsc.control.neighbours import Neighbours, set_mood
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem
from mmsc.ids import id_in
from mmsc.lab.smsc import VirtualSmsc
from mmsc.lab.vasp_driven import Answered, DrivenVasp, Got, attached_of
from protocols.errors import EncodeError

_TAG: Final = "lab"
_VASP: Final = "/lab/vasps/{name}"
_SMSC: Final = "/lab/smscs/{name}"
_MAXIMUM_PARTS: Final = 100
_VASP_NAME: Final = {"name": "a VASP of the lab, as its settings name it"}
_SMSC_NAME: Final = {"name": "an SMSC of the lab"}

Text = Annotated[str, msgspec.Meta(max_length=2000)]
Addresses = Annotated[list[Text], msgspec.Meta(max_length=1000)]


class Still(msgspec.Struct, frozen=True):
    """Whether all that was begun has come to rest. Times are service time in microseconds UTC; `next_due` is null when
    nothing waits for its time."""

    idle: bool
    now: int
    next_due: int | None


class LabState(msgspec.Struct, frozen=True):
    """Who is there."""

    places: dict[str, str]
    vasps: list[str]
    smscs: list[str]
    phones: dict[str, str]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of an MM: its media type, and its octets in base64."""

    content_type: Text
    content_base64: str
    name: Text = ""


class Submission(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A SubmitReq (TS 23.140 8.7.1). Addresses are +NUMBER, MAIL@DOMAIN or a short code; times xs:dateTime or
    xs:duration. With `lose_answer` the VASP cuts the connection when the answer comes."""

    to: Addresses = []
    cc: Addresses = []
    bcc: Addresses = []
    sender_address: Text = ""
    subject: Text = ""
    text: str = ""
    parts: Annotated[list[Part], msgspec.Meta(max_length=_MAXIMUM_PARTS)] = []
    delivery_report: bool | None = None
    read_reply: bool | None = None
    expiry_date: Text = ""
    earliest_delivery_time: Text = ""
    time_stamp: Text = ""
    message_class: Text = ""
    priority: Text = ""
    linked_id: Text = ""
    service_code: Text = ""
    vas_id: Text = ""
    charged_party: Text = ""
    delivery_conditions: Annotated[list[Text], msgspec.Meta(max_length=20)] = []
    distribution_indicator: bool | None = None
    transaction_id: Text = ""
    namespace: Text = ""
    lose_answer: bool = False


class VaspAnswer(msgspec.Struct, frozen=True):
    """What the MMSC answered; `status_code` is 0, and `problem` says why, where it was nothing of MM7. `mm_id` is the
    MM's in addresses, "" where none was accepted."""

    transaction_id: str
    http_status: int
    answer: str
    status_code: int
    status_text: str
    details: str
    message_id: str
    mm_id: str
    problem: str


class Received(msgspec.Struct, frozen=True):
    """A request that the VASP got. `message` holds its elements by their names; `at` is real time (µs)."""

    number: int
    at: int
    name: str
    transaction_id: str
    message: dict[str, Any]
    answer: str
    is_repeat: bool
    problem: str


class ReceivedPage(msgspec.Struct, frozen=True):
    """What came behind a number."""

    received: list[Received]


class After(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Behind which number."""

    after: Annotated[int, msgspec.Meta(ge=0)] = 0


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the VASP answers: `1000`, `HTTP 503*2,1000`, `fault:4001`, `empty`, `silent` ..."""

    answers: Text = "1000"
    delay_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0.0


class VaspState(msgspec.Struct, frozen=True):
    """A VASP of the lab."""

    name: str
    vasp_id: str
    report_url: str
    answers: str
    delay_seconds: float


class Again(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which request to send once more, octet for octet."""

    transaction_id: Text


class Withdrawal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A CancelReq (TS 23.140 8.7.3.1)."""

    message_id: Text


class Mood(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the SMSC does other than saying yes: `statuses` (as ESME_RTHROTTLED) are used up one by one, `numbers` hold
    for all messages to a number; `per_second` is how many it takes before it throttles (0: no limit); with `lost` it
    takes messages and delivers none; `receipt_state` is what its receipts say, as UNDELIVERABLE."""

    statuses: Annotated[list[Text], msgspec.Meta(max_length=1000)] = []
    numbers: dict[str, str] = {}
    per_second: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    delay_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0.0
    refuse_binds: bool = False
    lost: bool = False
    receipt_state: Text = "DELIVERED"


class SmscState(msgspec.Struct, frozen=True):
    """An SMSC of the lab; `submitted`: how many submit_sm and data_sm it has taken (the last thousand)."""

    name: str
    submitted: int


def lab_of(call: Call) -> Neighbours:
    """Raises Problem where there is none."""
    if call.control.neighbours is None:
        raise Problem(404, "this server has no lab: `mmsc lab` starts one")
    return call.control.neighbours


def _vasp(call: Call) -> DrivenVasp:
    found = lab_of(call).vasps.get(call.path["name"])
    if found is None:
        raise Problem(404, f"the lab has no VASP {call.path['name'][:60]!r}; {', '.join(lab_of(call).vasps)} it has")
    return found


def _smsc(call: Call) -> VirtualSmsc:
    found = lab_of(call).smscs.get(call.path["name"])
    if found is None:
        raise Problem(404, f"the lab has no SMSC {call.path['name'][:60]!r}; {', '.join(lab_of(call).smscs)} it has")
    return found


async def _state(call: Call) -> Answer:
    lab = lab_of(call)
    return Answer(LabState(dict(call.control.places()), list(lab.vasps), list(lab.smscs), dict(lab.numbers)))


async def _still(call: Call) -> Answer:
    found = await lab_of(call).stillness()
    return Answer(Still(found.idle, found.now, found.next_due))


async def _forget(call: Call) -> Answer:
    lab_of(call).forget()
    return Answer(status=204)


async def _submit(call: Call) -> Answer:
    given: Submission = call.body
    fields = {name: _as_tuple(getattr(given, name)) for name in _ELEMENTS}
    try:
        attached = [attached_of(one.content_type, one.content_base64, one.name) for one in given.parts]
        answered = await _vasp(call).submit(
            fields,
            text=given.text,
            attached=attached,
            transaction_id=given.transaction_id,
            namespace=given.namespace,
            lose_answer=given.lose_answer,
        )
    except (ValueError, EncodeError) as error:
        raise Problem(400, str(error)) from error
    return Answer(_told(answered))


_ELSE: Final = ("text", "parts", "transaction_id", "namespace", "lose_answer")
_ELEMENTS: Final = tuple(name for name in Submission.__struct_fields__ if name not in _ELSE)


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


async def _repeat(call: Call) -> Answer:
    try:
        return Answer(_told(await _vasp(call).repeat(call.body.transaction_id)))
    except KeyError:
        raise Problem(404, f"the VASP sent nothing as {call.body.transaction_id[:60]!r} lately") from None


async def _cancel(call: Call) -> Answer:
    return Answer(_told(await _vasp(call).cancel(call.body.message_id)))


async def _received(call: Call) -> Answer:
    return Answer(ReceivedPage([_got(one) for one in _vasp(call).received(call.query.after)]))


async def _look(call: Call) -> Answer:
    return Answer(_vasp_state(call))


async def _answer(call: Call) -> Answer:
    try:
        _vasp(call).answers(call.body.answers, call.body.delay_seconds)
    except ValueError as error:
        raise Problem(400, str(error)) from error
    return Answer(_vasp_state(call))


async def _look_at_smsc(call: Call) -> Answer:
    return Answer(SmscState(call.path["name"], len(_smsc(call).submitted)))


async def _set_mood(call: Call) -> Answer:
    told = msgspec.structs.asdict(call.body)
    try:
        set_mood(_smsc(call), told)
    except ValueError as error:
        raise Problem(400, str(error)) from error
    return await _look_at_smsc(call)


def _vasp_state(call: Call) -> VaspState:
    vasp = _vasp(call)
    return VaspState(call.path["name"], vasp.vasp_id, vasp.report_url, vasp.script, vasp.behaviour.delay_seconds)


def _told(one: Answered) -> VaspAnswer:
    number = id_in(one.message_id) if one.message_id else None
    values = {name: getattr(one, name) for name in VaspAnswer.__struct_fields__ if name != "mm_id"}
    return VaspAnswer(**values, mm_id="" if number is None else str(number))


def _got(one: Got) -> Received:
    return msgspec.convert(one, Received, from_attributes=True)


def _row(method: str, path: str, summary: str, handle: Any, **more: Any) -> Endpoint:
    parameters = {_VASP: _VASP_NAME, _SMSC: _SMSC_NAME}
    known = next((names for place, names in parameters.items() if path.startswith(place)), {})
    made = {"method": method, "path": path, "summary": summary, "tag": _TAG, "handle": handle, "parameters": known}
    return Endpoint(**{**made, "problems": (404,), **more})


ENDPOINTS: Final = (
    _row("GET", "/lab", "Who is in the lab, and where", _state, answers={200: LabState}),
    _row("GET", "/lab/still", "Whether anything is under way, and what is due next", _still, answers={200: Still}),
    _row("POST", "/lab/forget", "The neighbours forget what they got, and their moods", _forget, answers={204: None}),
    _row("GET", _VASP, "A VASP of the lab", _look, answers={200: VaspState}),
    _row("PUT", _VASP, "What the VASP answers to reports and MMs", _answer, body=Answers, answers={200: VaspState}),
    _row("POST", f"{_VASP}/submit", "Submit an MM by MM7", _submit, body=Submission, answers={200: VaspAnswer}),
    _row("POST", f"{_VASP}/repeat", "Send a request once more", _repeat, body=Again, answers={200: VaspAnswer}),
    _row("POST", f"{_VASP}/cancel", "Withdraw an MM by MM7", _cancel, body=Withdrawal, answers={200: VaspAnswer}),
    _row("GET", f"{_VASP}/received", "What the VASP got", _received, query=After, answers={200: ReceivedPage}),
    _row("GET", _SMSC, "An SMSC of the lab", _look_at_smsc, answers={200: SmscState}),
    _row("PUT", _SMSC, "The SMSC's mood", _set_mood, body=Mood, answers={200: SmscState}),
)
