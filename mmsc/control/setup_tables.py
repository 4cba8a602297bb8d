"""Tables of neighbours as people give them: checked by the rules of the settings file, their secrets only ever written.

Pure: no store, no clock."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from mmsc.domain.instant import Instant
from mmsc.settings import Settings
from mmsc.settings import neighbours as given
from mmsc.settings.base import Name, Section, is_secret
from mmsc.settings.reading import wrong_keys
from protocols.records import record

S = TypeVar("S", bound=Section)
Key = tuple[str, str]  # (kind, name)
Error = tuple[str, str]  # (key, why); the key is "" when it is about several
MAXIMUM_MADE: Final = 2000  # all kinds together: the rules are checked over all of them at each change
SECTIONS: Final[Mapping[str, type[Section]]] = {"vasp": given.Vasp, "peer": given.Peer, "smsc": given.Smsc}
_CLAIMED: Final = ("short_codes", "username", "client_certificates", "prefixes", "domain")  # of one neighbour alone


class Given(msgspec.Struct, frozen=True):
    """What the store keeps: the table, and when its secret was set."""

    table: dict[str, Any]
    secret_at: Instant | None = None


@record(frozen=True, slots=True)
class Entry:
    """One neighbour. `origin` is config (locked, `where` in the file) or console; `aside` is why it is not in force, ""
    when it is; `secret_at` is when its secret was set, None when that is not known."""

    kind: str
    name: str
    origin: str
    where: str
    table: Section
    secret_at: Instant | None
    aside: str

    @property
    def has_secret(self) -> bool:
        """Whether it has a password, or what is kept of one."""
        return bool(has_credentials(self.table))

    @property
    def shown(self) -> dict[str, Any]:
        """Its keys without the secrets."""
        hidden = secret_keys(type(self.table))
        return {key: value for key, value in msgspec.to_builtins(self.table).items() if key not in hidden}


@record(frozen=True, slots=True)
class Profile:
    """A dialect of MM7: what it is based on, where it is written, and what it does otherwise."""

    name: str
    based_on: str
    where: str
    values: Mapping[str, Any]


class SetupWrong(Exception):
    """What was given cannot be used: every key that is wrong, and why."""

    def __init__(self, errors: tuple[Error, ...]) -> None:
        super().__init__("; ".join(f"{key}: {why}" if key else why for key, why in errors))
        self.errors = errors


class SetupLocked(Exception):
    """It belongs to a settings file."""


class SetupFull(Exception):
    """There are as many as are kept."""


class SetupWaits(Exception):
    """Tasks wait for it."""

    def __init__(self, lane: str, tasks: int) -> None:
        super().__init__(f"{tasks:,} {'task waits' if tasks == 1 else 'tasks wait'} in {lane}; they would fail")
        self.tasks = tasks


def secret_keys(section: type[Section]) -> frozenset[str]:
    """The keys whose values are shown to nobody."""
    return frozenset(field.name for field in msgspec.structs.fields(section) if is_secret(field.type))


def has_credentials(table: Section) -> tuple[str, ...]:
    """The secrets that are set, empty for none."""
    return tuple(value for key in sorted(secret_keys(type(table))) if (value := getattr(table, key)))


def table_of(kind: str, name: str, one: Given) -> Section:
    """A stored table. Raises msgspec.ValidationError for one of a later version."""
    return msgspec.convert(one.table, SECTIONS[kind])


def with_tables(settings: Settings, tables: Mapping[Key, Section]) -> Settings:
    """These settings, and these tables."""
    changes: dict[str, dict[str, Section]] = {}
    for (kind, name), table in tables.items():
        changes.setdefault(kind, dict(getattr(settings, kind)))[name] = table
    return msgspec.structs.replace(settings, **changes) if changes else settings


def without(settings: Settings, key: Key) -> Settings:
    """These settings without one table."""
    kept = {name: one for name, one in getattr(settings, key[0]).items() if name != key[1]}
    return msgspec.structs.replace(settings, **{key[0]: kept})


def credentials_kept(kind: str, name: str, told: Mapping[str, Any], old: Section | None) -> Section:
    """The table of what was told; of secrets that were not, those of before. Raises SetupWrong."""
    section = SECTIONS[kind]
    errors = list(_wrong_name(name)) + list(wrong_keys(section, dict(told)))
    if errors:
        raise SetupWrong(tuple(sorted(errors)))
    table = msgspec.convert(dict(told), section)
    if old is None or secret_keys(section) & told.keys():
        return table
    kept = {key: getattr(old, key) for key in secret_keys(section)}
    if isinstance(table, given.Vasp):
        assert isinstance(old, given.Vasp)
        kept = _still_good(table, old, kept)
    return msgspec.structs.replace(table, **kept)


def _still_good(table: given.Vasp, old: given.Vasp, kept: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a VASP's password serves its own kind of login (RFC 7616 3.4.2: HA1 holds the name, too)."""
    if not table.username:
        return {}
    if table.authentication == "basic":
        kept = {**kept, "ha1_md5": "", "ha1_sha256": ""}
    elif table.username != old.username and (kept["ha1_md5"] or kept["ha1_sha256"]):
        raise SetupWrong((("password", "is wanted anew: what is kept of it holds the username"),))
    if table.authentication == "digest":
        kept = {**kept, "password_hash": ""}
    return kept


def _wrong_name(name: str) -> tuple[Error, ...]:
    try:
        msgspec.convert(name, Name)
    except msgspec.ValidationError:
        return (("name", "a name has letters, digits, dots, hyphens and underscores"),)
    return () if len(name) <= 100 else (("name", "a name has 100 characters at most"),)


def beside(kind: str, name: str, sentence: str, table: Section | None) -> Error:
    """A sentence about the settings, beside the key of this table that it is about."""
    own = f"{kind}.{name}"
    keys = () if table is None else type(table).__struct_fields__
    rest = sentence.removeprefix(own)
    if rest != sentence and rest.startswith("."):
        key = rest[1:].partition("[")[0].partition(" ")[0].partition(":")[0]
        if key in keys:
            return key, rest[1 + len(key) :].lstrip(" :=")
    claimed = sentence.partition(" both claim ")[2]
    if claimed and table is not None:
        return next((key for key in _CLAIMED if key in keys and claimed in _values(table, key)), ""), sentence
    words = rest.replace(",", " ").replace(":", " ").split()
    return next((word for word in words if word in keys), ""), sentence


def _values(table: Section, key: str) -> tuple[str, ...]:
    value = getattr(table, key)
    return tuple(one.lower() for one in value) + value if isinstance(value, tuple) else (value, value.lower())
