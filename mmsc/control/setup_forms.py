"""The keys of a neighbour as forms and documents need them: what each is, what it may be, and how people write it."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import msgspec

from mmsc.settings import neighbours
from mmsc.settings.about import about
from mmsc.settings.base import Section, is_secret
from protocols.records import record

ALL_SECTIONS: Final[Mapping[str, type[Section]]] = {
    "vasp": neighbours.Vasp,
    "peer": neighbours.Peer,
    "smsc": neighbours.Smsc,
    "subscriber": neighbours.Subscriber,
}
_NUMBERS: Final = (int, float)


@record(frozen=True, slots=True)
class Key:
    """One key. `form` is text, secret, flag, choice, number, lines (one entry a line), pairs (KEY = VALUE a line) or
    rewrites (PREFIX = BECOMES a line)."""

    name: str
    form: str
    about: str
    choices: tuple[str, ...]
    required: bool
    default: Any
    type: Any


def keys_of(kind: str) -> tuple[Key, ...]:
    """All keys of `vasp`, `peer`, `smsc` or `subscriber`, in the order of the manual."""
    said = about(kind)
    fields = {field.name: field for field in msgspec.structs.fields(ALL_SECTIONS[kind])}
    return tuple(_key(fields[name], said[name]) for name in sorted(fields, key=list(said).index))


def _key(field: msgspec.structs.FieldInfo, said: str) -> Key:
    bare = _bare(field.type)
    choices = tuple(str(one) for one in get_args(bare)) if get_origin(bare) is Literal else ()
    default = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
    required = default is msgspec.NODEFAULT
    return Key(field.name, _form(field.type, bare), said, choices, required, None if required else default, field.type)


def _bare(annotated: Any) -> Any:
    while get_origin(annotated) is Annotated:
        annotated = get_args(annotated)[0]
    return annotated


def _form(annotated: Any, bare: Any) -> str:
    if is_secret(annotated):
        return "secret"
    if get_origin(bare) is Literal:
        return "choice"
    if bare is bool:
        return "flag"
    if bare in _NUMBERS:
        return "number"
    if get_origin(bare) is dict:
        return "pairs"
    if get_origin(bare) is tuple:
        return "rewrites" if _bare(get_args(bare)[0]) is neighbours.Rewrite else "lines"
    return "text"


def written(key: Key, value: Any) -> str:
    """A value (as JSON has it) as a field of a form shows it."""
    match key.form:
        case "lines":
            return "\n".join(value)
        case "pairs":
            return "\n".join(f"{name} = {one}" for name, one in value.items())
        case "rewrites":
            return "\n".join(f"{one['prefix']} = {one['becomes']}" for one in value)
    return str(value)


def read(kind: str, form: Mapping[str, str]) -> dict[str, Any]:
    """A form's fields as a table; what is no number stays text, so that it is told beside its field. A secret that is
    left empty is not given; one whose `forget_KEY` is set is given as empty."""
    return dict(_read(keys_of(kind), form))


def _read(keys: tuple[Key, ...], form: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for key in keys:
        text = form.get(key.name, "").replace("\r\n", "\n")
        match key.form:
            case "flag":
                yield key.name, key.name in form
            case "secret":
                if text or f"forget_{key.name}" in form:
                    yield key.name, text
            case "lines":
                yield key.name, [one.strip() for one in text.split("\n") if one.strip()]
            case "pairs":
                yield key.name, dict(_pairs(text))
            case "rewrites":
                yield key.name, [{"prefix": prefix, "becomes": becomes} for prefix, becomes in _pairs(text)]
            case "number" | "choice":
                yield key.name, _value(key, text.strip())
            case _:
                yield key.name, text.strip()


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        if line.strip():
            left, _, right = line.partition("=")
            yield left.strip(), right.strip()


def _value(key: Key, text: str) -> Any:
    """A number, or one of several, of which some may be numbers."""
    if key.form == "choice":
        choices = get_args(_bare(key.type))
        return next((one for one in choices if str(one) == text), text)
    if not text and key.default is not None:
        return key.default
    try:
        return int(text, 0) if _bare(key.type) is int else float(text)
    except ValueError:
        return text


_GROUPS: Final[Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "vasp": (
        ("Who it is", ("vasp_id", "vas_ids", "username", "password", "authentication", "interface", "run")),
        ("What goes to it", ("report_url", "deliver_url", "short_codes", "sender", "deferred_reports", "concurrency")),
        (
            "What it may send",
            (
                *("senders", "content_types", "maximum_octets", "maximum_recipients", "messages_per_second", "burst"),
                *("over_rate", "credits", "networks", "client_certificates", "violations", "repeats"),
            ),
        ),
        ("Its dialect", ("profile", "deliver_profile", "namespace", "mm7_version", "errors", "fault_http_status")),
    ),
    "peer": (
        ("Where it is", ("domain", "host", "port", "prefixes", "addresses")),
        ("What goes to it", ("ack_request", "mm4_version", "maximum_octets", "concurrency")),
    ),
    "smsc": (
        ("Where it is", ("host", "port", "system_id", "password", "system_type", "bind")),
        ("What it is sent", ("source", "source_ton", "source_npi", "push_form", "data_coding", "receipts")),
    ),
    "subscriber": (("What it is", ("mms", "smsc", "ip", "run")),),
}


def grouped(kind: str) -> list[tuple[str, list[Key]]]:
    """The keys as a form shows them; what is seldom needed comes last, under More."""
    known = {key.name: key for key in keys_of(kind)}
    found = [(title, [known.pop(name) for name in names]) for title, names in _GROUPS[kind]]
    return [*found, ("More", list(known.values()))] if known else found
