"""All faults there are: permanent names, where each bites, what it does, its parameters, and the clause in which the
behaviour that it provokes is defined. A closed table: names are never reused."""

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from mmsc.faults import rows_http, rows_mail, rows_smpp
from mmsc.faults.parameters import MATCHES, OWN, Setting
from mmsc.faults.points import Point
from mmsc.faults.row import Fault

FAULTS: Final[tuple[Fault, ...]] = (*rows_http.FAULTS, *rows_mail.FAULTS, *rows_smpp.FAULTS)
BY_NAME: Final[Mapping[str, Fault]] = MappingProxyType({fault.name: fault for fault in FAULTS})
# Which fields of a setting can be told apart at a point.
MATCHED: Final[Mapping[Point, tuple[str, ...]]] = MappingProxyType(
    {
        Point.MM7_ANSWER: ("vasp", "number", "run", "transaction", "operation"),
        Point.MM7_REPLY: ("vasp", "number", "run", "transaction", "operation"),
        Point.MM7_REQUEST: ("vasp", "number", "run", "transaction", "operation"),
        Point.MM1_ANSWER: ("number", "transaction", "operation"),
        Point.MM1_PUSH: ("smsc", "number", "run", "transaction", "operation"),
        Point.MM4_ANSWER: ("peer", "number"),
        Point.MM4_RES: ("peer", "number", "transaction", "operation"),
        Point.MM4_MAIL: ("peer", "number", "run", "transaction", "operation"),
        Point.SMPP_REQUEST: ("smsc", "number", "run", "operation"),
        Point.SMSC_BIND: (),
        Point.SMSC_ANSWER: ("number",),
        Point.SMSC_DELIVERY: ("number",),
        Point.SMSC_RECEIPT: ("number",),
        Point.WEBLINK: ("number", "transaction"),
        Point.STORE: (),
        Point.CAPABILITY: ("number",),
        Point.DOOR: ("vasp", "peer", "number", "run", "transaction"),
    }
)


class UnknownFault(LookupError):
    """No fault has this name. The text names the nearest one."""


class WrongParameter(ValueError):
    """A parameter that the fault does not have, or a value that it cannot have."""


def fault_named(name: str) -> Fault:
    """The row with a name. Raises UnknownFault."""
    fault = BY_NAME.get(name)
    if fault is None:
        near = get_close_matches(name, BY_NAME, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UnknownFault(f"no fault is called {name[:60]!r}{hint}")
    return fault


def checked(name: str, setting: Setting) -> Setting:
    """A setting with every parameter of its fault's own filled in. Raises UnknownFault, WrongParameter."""
    fault = fault_named(name)
    for match in MATCHES:
        if getattr(setting, match) and match not in MATCHED[fault.point]:
            known = ", ".join(MATCHED[fault.point]) or "nothing"
            raise WrongParameter(f"{name} cannot tell by {match}: at {fault.point.value} {known} is known")
    known_own = {parameter.name: parameter for parameter in fault.parameters}
    values: dict[str, object] = {}
    for own in OWN:
        given = getattr(setting, own)
        if own in known_own:
            parameter = known_own[own]
            try:
                values[own] = parameter.read(parameter.default if given is UNSET else given)
            except ValueError as error:
                raise WrongParameter(f"{name}: {error}") from error
        elif given is not UNSET:
            has = ", ".join(known_own) or "none of its own"
            raise WrongParameter(f"{name} has no {own}; it has {has}")
    return replace(setting, **values)
