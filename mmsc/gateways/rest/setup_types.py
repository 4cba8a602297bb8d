"""The types of the setup operations, made of the keys of the settings: a key that is added there is here, too."""

from typing import Annotated, Any, Final

import msgspec

from mmsc.control.setup_forms import Key, keys_of

_OPTIONS: Final[dict[str, Any]] = {"frozen": True, "kw_only": True, "module": __name__}


def _noted(kind: Any, said: str) -> Any:
    made: Any = Annotated
    return made[kind, msgspec.Meta(description=said)]


def _field(key: Key, *, all_there: bool) -> tuple[Any, ...]:
    told = _noted(key.type, key.about)
    if key.required or all_there:
        return key.name, told
    if key.default == {}:
        return key.name, told, msgspec.field(default_factory=dict)
    return key.name, told, key.default


def _given(name: str, kind: str) -> type:
    """A table as it is given: a key that is left out is as in the settings file; a secret stays as it was."""
    fields = [_field(key, all_there=False) for key in keys_of(kind)]
    made = msgspec.defstruct(name, fields, forbid_unknown_fields=True, **_OPTIONS)
    made.__doc__ = "What is left out is as the settings file would have it; a secret that is left out stays as it was."
    return made


def _told(name: str, kind: str) -> type:
    """A table as it is told: everything but the secrets."""
    fields = [_field(key, all_there=True) for key in keys_of(kind) if key.form != "secret"]
    made = msgspec.defstruct(name, fields, **_OPTIONS)
    made.__doc__ = "All keys but the secrets."
    return made


def _entry(name: str, settings: type) -> type:
    """One neighbour."""
    about = {
        "name": (str, "its name"),
        "origin": (str, "config (locked: it is the settings file's) or console"),
        "where": (str, "where the settings file has it, as mmsc.toml:412"),
        "aside": (str, 'why it is not in force, "" when it is'),
        "password_set": (bool, "whether it has a password, or what is kept of one"),
        "password_since": (int | None, "when that was set (µs UTC), where it is known"),
        "settings": (settings, "its keys"),
    }
    fields = [(key, _noted(kind, said)) for key, (kind, said) in about.items()]
    made = msgspec.defstruct(name, fields, **_OPTIONS)
    made.__doc__ = "One neighbour, and where it comes from."
    return made


def _page(name: str, key: str, entry: Any) -> type:
    """A page of them."""
    made = msgspec.defstruct(name, [(key, list[entry]), ("next", str)], **_OPTIONS)
    made.__doc__ = 'A page of them; `next` is the `after` of the next one, "" when this is the last.'
    return made


GIVEN: Final = {
    "vasp": _given("VaspGiven", "vasp"),
    "peer": _given("PeerGiven", "peer"),
    "smsc": _given("SmscGiven", "smsc"),
    "subscriber": _given("SubscriberGiven", "subscriber"),
}
ENTRY: Final = {
    "vasp": _entry("VaspEntry", _told("VaspSettings", "vasp")),
    "peer": _entry("PeerEntry", _told("PeerSettings", "peer")),
    "smsc": _entry("SmscEntry", _told("SmscSettings", "smsc")),
}
PAGE: Final = {kind: _page(f"{kind.capitalize()}Page", f"{kind}s", entry) for kind, entry in ENTRY.items()}
