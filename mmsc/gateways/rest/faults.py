"""REST: what goes wrong on purpose."""

from typing import Any, Final

import msgspec
from aiohttp import web

from mmsc.control.faults import Faults, FaultView, parameters_of
from mmsc.faults.catalogue import UnknownFault, WrongParameter
from mmsc.faults.parameters import Parameter, Setting
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem

_TAG: Final = "faults"
_ONE: Final = "/faults/{name}"
_NAME: Final = {"name": "a fault of the catalogue, as `mm7-submit-status`"}


class ChoiceRow(msgspec.Struct, frozen=True):
    """A value with a name; `number` is what it is on the wire, null where the word is."""

    word: str
    text: str
    number: int | None


class ParameterRow(msgspec.Struct, frozen=True):
    """A parameter of a fault's own. `kind` is choice, status, seconds, octets or text; 0 as `highest`: no range."""

    name: str
    kind: str
    text: str
    default: str | int | float
    lowest: float
    highest: float
    choices: list[ChoiceRow]


class Hits(msgspec.Struct, frozen=True):
    """How often it bit since it was set, and the last time: when (µs) and which MM. Zeros and null: never."""

    count: int
    last_at_service: int
    last_at_real: int
    last_mm_id: str | None
    last_exchange: str | None


class FaultRow(msgspec.Struct, frozen=True, kw_only=True):
    """A fault: what it does, by which fields of its setting it can be told whom it meets (`matches`), and its setting
    when it is on. `expires_at` is real time (µs), 0 for never; `hint` says why nothing was hit so far."""

    name: str
    interface: str
    group: str
    point: str
    text: str
    clause: str
    matches: list[str]
    only: list[str]
    parameters: list[ParameterRow]
    on: bool
    setting: dict[str, Any] | None
    expires_at: int
    from_file: bool
    hits: Hits
    hint: str


class FaultList(msgspec.Struct, frozen=True):
    """Faults."""

    faults: list[FaultRow]


class Which(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which faults: those of an interface (`mm7`, `mm1`, `smsc` ...), those that are on, or that are off."""

    interface: str = ""
    on: bool | None = None


class MagicRow(msgspec.Struct, frozen=True):
    """What the end of a recipient's number stands for, with such a number."""

    ending: str
    number: str
    outcome: str
    text: str


class MagicNumbers(msgspec.Struct, frozen=True):
    """Recipients whose last digits give a set outcome. `prefix` is "" where there are none."""

    prefix: str
    numbers: list[MagicRow]


def _faults(call: Call) -> Faults:
    if call.control.faults is None:
        raise Problem(404, "this server has no faults")
    return call.control.faults


async def _listed(call: Call) -> Answer:
    wanted: Which = call.query
    rows = [
        fault_row(view)
        for view in _faults(call).catalogue()
        if wanted.interface in ("", view.fault.interface) and wanted.on in (None, view.is_on)
    ]
    return Answer(FaultList(rows))


async def _one(call: Call) -> Answer:
    try:
        return Answer(fault_row(_faults(call).one(call.path["name"])))
    except UnknownFault as error:
        raise Problem(404, str(error)) from error


async def _set(call: Call) -> Answer:
    try:
        return Answer(fault_row(_faults(call).set(call.path["name"], call.body)))
    except UnknownFault as error:
        raise Problem(404, str(error)) from error
    except WrongParameter as error:
        raise Problem(400, str(error)) from error


async def _clear(call: Call) -> Answer:
    try:
        _faults(call).clear(call.path["name"])
    except UnknownFault as error:
        raise Problem(404, str(error)) from error
    return Answer(status=204)


async def _clear_all(call: Call) -> Answer:
    _faults(call).clear()
    return Answer(status=204)


async def _config(call: Call) -> Answer | web.StreamResponse:
    return web.Response(text=_faults(call).config(), content_type="application/toml")


async def _magic(call: Call) -> Answer:
    faults = _faults(call)
    rows = [MagicRow(one.ending, number, one.outcome, one.text) for one, number in faults.magic()]
    return Answer(MagicNumbers(faults.prefix, rows))


def fault_row(view: FaultView) -> FaultRow:
    """A fault as JSON tells it."""
    fault, bitten = view.fault, view.bitten
    return FaultRow(
        name=fault.name,
        interface=fault.interface,
        group=fault.group.value,
        point=fault.point.value,
        text=fault.text,
        clause=fault.clause,
        matches=list(view.matches),
        only=list(fault.only),
        parameters=[_parameter(one) for one in fault.parameters],
        on=view.is_on,
        setting=None if view.setting is None else parameters_of(view.setting),
        expires_at=view.expires_at,
        from_file=view.from_file,
        hits=Hits(
            bitten.hits,
            bitten.at_service,
            bitten.at_real,
            None if bitten.mm_id is None else str(bitten.mm_id),
            str(bitten.exchange) if bitten.exchange else None,
        ),
        hint=view.hint,
    )


def _parameter(one: Parameter) -> ParameterRow:
    choices = [ChoiceRow(it.word, it.text, it.number if it.number >= 0 else None) for it in one.choices]
    return ParameterRow(one.name, one.kind.value, one.text, one.default, one.lowest, one.highest, choices)


def _row(method: str, path: str, summary: str, handle: Any, **more: Any) -> Endpoint:
    known = _NAME if path == _ONE else {}
    made = {"method": method, "path": path, "summary": summary, "tag": _TAG, "handle": handle, "parameters": known}
    return Endpoint(**{**made, "problems": (404,), **more})


ENDPOINTS: Final = (
    _row("GET", "/faults", "All faults there are, and which are on", _listed, query=Which, answers={200: FaultList}),
    _row("DELETE", "/faults", "All faults off", _clear_all, answers={204: None}),
    _row("GET", "/faults.toml", "What is on, as a settings file has it", _config, answers={200: "application/toml"}),
    _row("GET", _ONE, "A fault", _one, answers={200: FaultRow}),
    _row("PUT", _ONE, "Switch a fault on, or change it", _set, body=Setting, answers={200: FaultRow}),
    _row("DELETE", _ONE, "A fault off", _clear, answers={204: None}),
    _row("GET", "/magic-numbers", "Recipients with a set outcome", _magic, answers={200: MagicNumbers}),
)
