"""Reads the settings from a TOML file and the environment. Whatever is wrong is told at once, all of it, by name."""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin

import msgspec

from mmsc.settings.bare import bare
from mmsc.settings.base import PATTERNS, Section, is_live, is_secret
from mmsc.settings.model import Settings
from mmsc.settings.rules import contradictions

S = TypeVar("S", bound=Section)
PREFIX: Final = "MMSC_"
_LEVEL: Final = "__"  # MMSC_MM7__PORT is mm7.port
_NOT_SETTINGS: Final = ("MMSC_CONFIG", "MMSC_TEST_")
_MAXIMUM_FILE_OCTETS: Final = 4 * 1024 * 1024  # a file of ten thousand subscribers is half a megabyte
_CREDENTIALS: Final = re.compile(r"//[^/@\s]*@")  # of a URL
_AT: Final = re.compile(r" - at `\$(?P<path>[^`]*)`$")


class SettingsError(Exception):
    """The settings cannot be used. `problems` are sentences, each naming key and source."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(path: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of a file (None: `bare`), overridden by MMSC_SECTION__KEY from the environment.

    Raises SettingsError with everything that is wrong.
    """
    tables = msgspec.to_builtins(bare()) if path is None else _read(path)
    source = "the built-in settings" if path is None else str(path)
    problems = list(_problems(Settings, tables, "", source))
    overrides = dict(_overrides(os.environ if environment is None else environment))
    for name, value in overrides.items():
        _override(tables, name, value, problems)
    if problems:
        raise SettingsError(tuple(problems))
    settings = msgspec.convert(tables, Settings)
    source = " and ".join([source, *overrides])  # a contradiction may be between the two
    wrong = tuple(f"{source}: {sentence}" for sentence in contradictions(settings))
    if wrong:
        raise SettingsError(wrong)
    return settings


def changes(old: Settings, new: Settings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys that differ: those a running server takes over, and those that need a restart."""
    live: list[str] = []
    restart: list[str] = []
    for name, takes in _differences(old, new, ""):
        (live if takes else restart).append(name)
    return tuple(live), tuple(restart)


def merged(running: Settings, new: Settings) -> Settings:
    """`new`, with every key that needs a restart as it is in `running`."""
    return _merged(running, new)


def secrets(settings: Settings) -> Iterator[str]:
    """The values that are shown to nobody, and the passwords inside of addresses."""
    yield from _secrets(settings)
    urls = [settings.store.postgres, settings.delivery.vasp.proxy_url]
    urls += [url for vasp in settings.vasp.values() for url in (vasp.report_url, vasp.deliver_url, vasp.proxy_url)]
    for url in urls:
        found = _CREDENTIALS.search(url)
        if found is not None:
            yield found[0].strip("/@").partition(":")[2]


def _secrets(section: Section) -> Iterator[str]:
    for field in msgspec.structs.fields(type(section)):
        value = getattr(section, field.name)
        if isinstance(value, Section):
            yield from _secrets(value)
        elif _named_section_of(field.type) is not None:
            for one in value.values():
                yield from _secrets(one)
        elif is_secret(field.type) and value:
            yield value


def _merged(running: S, new: S) -> S:
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(type(running)):
        before, after = getattr(running, field.name), getattr(new, field.name)
        if isinstance(before, Section):
            values[field.name] = _merged(before, after)
        else:
            taken = is_live(field.type) or _named_section_of(field.type) is not None
            values[field.name] = after if taken else before
    return type(running)(**values)


def wrong_keys(section: type[Section], table: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """(key, what is wrong with it) of one table of a neighbour, as the file would be told."""
    here = "here"
    fields = {field.name: field for field in msgspec.structs.fields(section)}
    for name in table.keys() - fields.keys():
        yield name, f"is no key; {_nearest(name, fields, '')}"
    for name, field in fields.items():
        if name in table:
            for sentence in _wrong_value(field.type, table[name], name, here):
                yield name, sentence.removeprefix(f"{here}: {name}").lstrip(" =:")
        elif field.required:
            yield name, "is missing"


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            octets = file.read(_MAXIMUM_FILE_OCTETS + 1)
        if len(octets) > _MAXIMUM_FILE_OCTETS:
            raise SettingsError((f"{path}: larger than {_MAXIMUM_FILE_OCTETS} octets",))
        return tomllib.loads(octets.decode())
    except OSError as error:
        raise SettingsError((f"{path}: {error.strerror or error}",)) from error
    except UnicodeDecodeError as error:
        raise SettingsError((f"{path}: not UTF-8 at octet {error.start}",)) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError((f"{path}: not TOML: {error}",)) from error


def _problems(section: type[Section], table: object, where: str, source: str) -> Iterator[str]:
    """Walk one table: unknown keys with the nearest known one, values of the wrong type, keys that are missing."""
    if not isinstance(table, dict):
        yield f"{source}: {where} is a table, not {_said(table)}"
        return
    fields = {field.name: field for field in msgspec.structs.fields(section)}
    for name in table.keys() - fields.keys():
        yield f"{source}: {_join(where, name)} is no key; {_nearest(name, fields, where)}"
    for name, field in fields.items():
        if name in table:
            yield from _wrong_value(field.type, table[name], _join(where, name), source)
        elif field.required:
            yield f"{source}: {_join(where, name)} is missing"


def _wrong_value(expected: Any, value: object, where: str, source: str) -> Iterator[str]:
    inner = _section_of(expected)
    if inner is not None:
        yield from _problems(inner, value, where, source)
        return
    named, item = _named_section_of(expected), _item_section_of(expected)
    if item is not None and isinstance(value, list):
        for number, table in enumerate(value):
            yield from _problems(item, table, f"{where}[{number}]", source)
    elif named is None:
        yield from _wrong_leaf(expected, value, where, source)
    elif isinstance(value, dict):
        for name, table in value.items():
            yield from _wrong_name(get_args(expected)[0], name, where, source)
            yield from _problems(named, table, _join(where, name), source)
    else:
        yield f"{source}: {where} holds tables [{where}.NAME], not {_said(value)}"


def _wrong_name(expected: Any, name: str, where: str, source: str) -> Iterator[str]:
    try:
        msgspec.convert(name, expected)
    except msgspec.ValidationError as error:
        yield f"{source}: {_join(where, name)}: {_plainly(str(error), expected).replace('Expected', 'a name has')}"


def _wrong_leaf(expected: Any, value: object, where: str, source: str) -> Iterator[str]:
    try:
        msgspec.convert(value, expected)
    except msgspec.ValidationError as error:
        text = str(error)
        at = _AT.search(text)
        index = re.fullmatch(r"\[([0-9]+)\]", at["path"]) if at else None
        shown = value[int(index[1])] if index is not None and isinstance(value, list) else value
        place = where + (at["path"] if at else "")
        said = "(not shown)" if is_secret(expected) else _said(shown)
        yield f"{source}: {place} = {said}: {_plainly(_AT.sub('', text), expected)}"


def _plainly(text: str, expected: Any) -> str:
    """What msgspec says of a value, with the choices and patterns in words."""
    if text.startswith("Invalid enum value"):
        return "Expected one of " + ", ".join(str(choice) or '""' for choice in _choices(expected))
    for pattern, words in PATTERNS.items():
        text = text.replace(f"`str` matching regex {pattern!r}", words)
    return text


def _choices(annotated: Any) -> tuple[Any, ...]:
    """The values of the Literal inside a type."""
    inner = _bare(annotated)
    return tuple(one for one in get_args(inner) if one is not None) if get_origin(inner) is Literal else ()


def _bare(annotated: Any) -> Any:
    """A type without what is noted about it."""
    return get_args(annotated)[0] if get_origin(annotated) is Annotated else annotated


def _section_of(annotated: Any) -> type[Section] | None:
    return annotated if isinstance(annotated, type) and issubclass(annotated, Section) else None


def _named_section_of(annotated: Any) -> type[Section] | None:
    return _section_of(get_args(annotated)[1]) if get_origin(annotated) is dict else None


def _item_section_of(annotated: Any) -> type[Section] | None:
    inner = _bare(annotated)
    return _section_of(get_args(inner)[0]) if get_origin(inner) is tuple else None


def _nearest(name: str, known: Mapping[str, object], where: str) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"the nearest is {_join(where, near[0])}"
    return f"known here: {', '.join(sorted(known))}"


def _join(where: str, name: str) -> str:
    shown = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)  # as TOML quotes it
    return f"{where}.{shown}" if where else shown


def _said(value: object) -> str:
    shown = _CREDENTIALS.sub("//***@", repr(value))
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _overrides(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in sorted(environment):
        if name.startswith(PREFIX) and not name.startswith(_NOT_SETTINGS):
            yield name, environment[name]


def _override(tables: dict[str, Any], name: str, text: str, problems: list[str]) -> None:
    """Put one variable into its place in the tables, or say what is wrong with it."""
    keys = [part.lower() for part in name.removeprefix(PREFIX).split(_LEVEL)]
    section: type[Section] = Settings
    table = tables
    source = f"{name} in the environment"
    for depth, part in enumerate(keys):
        where = ".".join(keys[:depth])
        fields = {field.name: field for field in msgspec.structs.fields(section)}
        if part not in fields:
            problems.append(f"{source}: {_join(where, part)} is no key; {_nearest(part, fields, where)}")
            return
        inner = _section_of(fields[part].type)
        if inner is None:
            if _named_section_of(fields[part].type) is not None or depth + 1 < len(keys):
                problems.append(f"{source}: {'.'.join(keys)} cannot be set here, only in the file")
                return
            value, wrong = _from_text(text, fields[part].type, _join(where, part), source)
            problems += wrong
            table |= {} if wrong else {part: value}
            return
        section, table = inner, table.setdefault(part, {})
        if not isinstance(table, dict):
            return  # the file is wrong here, and was told so
    problems.append(f"{source}: {'.'.join(keys)} is a table; name a key of it, as {name}{_LEVEL}KEY")


def _from_text(text: str, expected: Any, where: str, source: str) -> tuple[object, list[str]]:
    """What a variable's text means to a key, and what is wrong with it."""
    try:
        value: object = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    wrong = list(_wrong_leaf(expected, value, where, source))
    if wrong and not list(_wrong_leaf(expected, text, where, source)):
        return text, []  # a text that looks like a number, as a password may
    return value, wrong


def _differences(old: Section, new: Section, where: str) -> Iterator[tuple[str, bool]]:
    for field in msgspec.structs.fields(type(old)):
        before, after = getattr(old, field.name), getattr(new, field.name)
        name = _join(where, field.name)
        if isinstance(before, Section):
            yield from _differences(before, after, name)
        elif _named_section_of(field.type) is not None:
            yield from ((_join(name, key), True) for key in _changed_keys(before, after))
        elif before != after:
            yield name, is_live(field.type)


def _changed_keys(before: Mapping[str, Section], after: Mapping[str, Section]) -> list[str]:
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
