"""Scenario files to scenarios. What is wrong is told with file, line and the nearest name that is known.

YAML is read as text: a scalar means what its key says, so that +15550000001 stays a telephone number and `off` a word.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from mmsc.client.times import seconds_of
from mmsc.scenario.model import STEPS, TOP, Key, Kind, Scenario, ScenarioError, Step

MAXIMUM_FILE_OCTETS: Final = 1024 * 1024
_MAXIMUM_NODES: Final = 50_000  # of all kinds: anchors can make many of few
_MAXIMUM_DOCUMENTS: Final = 200
_MAXIMUM_DEPTH: Final = 30
_MAXIMUM_PROBLEMS: Final = 100  # told of one text
_NULL: Final = ("", "~", "null")
_FLAGS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")


def read(path: Path) -> list[Scenario]:
    """The scenarios of a file: one in each of its documents. Raises ScenarioError."""
    try:
        with path.open("rb") as file:
            octets = file.read(MAXIMUM_FILE_OCTETS + 1)
        if len(octets) > MAXIMUM_FILE_OCTETS:
            raise ScenarioError((f"{path}: larger than {MAXIMUM_FILE_OCTETS} octets",))
        text = octets.decode()
    except OSError as error:
        raise ScenarioError((f"{path}: {error.strerror or error}",)) from error
    except UnicodeDecodeError as error:
        raise ScenarioError((f"{path}: not UTF-8 at octet {error.start}",)) from error
    return read_text(text, str(path))


def read_text(text: str, file: str) -> list[Scenario]:
    """The scenarios of a text. Raises ScenarioError with everything that is wrong."""
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ScenarioError((f"{file}{_where(error)}: not YAML: {_problem(error)}",)) from error
    except RecursionError as error:
        raise ScenarioError((f"{file}: nested too deeply",)) from error
    if not documents:
        raise ScenarioError((f"{file}: no scenario in it",))
    if len(documents) > _MAXIMUM_DOCUMENTS:
        raise ScenarioError((f"{file}: more than {_MAXIMUM_DOCUMENTS} scenarios in it",))
    reader = _Reader(file)
    found = [reader.scenario(one, text) for one in documents]
    if reader.problems:
        raise ScenarioError(tuple(reader.problems))
    return found


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return "" if mark is None else f":{mark.line + 1}"


def _problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or error).replace("\n", " ")


class _Reader:
    """Walks one file's nodes by the table of keys, and notes what is wrong."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._nodes = 0
        self.problems: dict[str, None] = {}  # in their order

    def scenario(self, node: yaml.Node, text: str) -> Scenario:
        """One document."""
        steps: tuple[Step, ...] = ()
        values: dict[str, Any] = {}
        if self._is(node, yaml.MappingNode, "a scenario is a mapping: name, steps ..."):
            pairs = {name: value for name, _, value in self._pairs(node)}
            steps = tuple(self._steps(pairs["steps"])) if "steps" in pairs else ()
            values = self._section(node, TOP, "", more=False)
        return Scenario(
            name=values.get("name", ""),
            steps=steps,
            setup=values.get("setup") or {},
            file=self._file,
            description=values.get("description", ""),
            clause=values.get("clause", ""),
            tags=tuple(values.get("tags", ())),
            text=text,
        )

    def _steps(self, node: yaml.Node) -> Iterator[Step]:
        if not self._is(node, yaml.SequenceNode, "steps is a list"):
            return
        if not node.value:
            self._wrong(node, "steps: there is none")
        for one in node.value:
            if not self._is(one, yaml.MappingNode, "a step is a mapping with one key, as `submit:`"):
                continue
            for number, (verb, at, value) in enumerate(self._pairs(one)):
                if number:
                    self._wrong(at, f"{verb}: a step has one key; begin another one with `- {verb}:`")
                elif verb not in STEPS:
                    self._wrong(at, f"{verb} is no step; {_nearest(verb, STEPS)}")
                else:
                    yield Step(verb, self._value(value, STEPS[verb], verb), _line(at))

    def _section(self, node: yaml.Node, keys: Mapping[str, Key], where: str, *, more: bool) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if not self._is(node, yaml.MappingNode, f"{where or 'this'} is a mapping"):
            return found
        for name, at, value in self._pairs(node):
            if name == "steps" and not where:
                continue
            if name in keys:
                found[name] = self._value(value, keys[name], f"{where}.{name}".lstrip("."))
            elif more:
                found[name] = self._free(value)
            else:
                self._wrong(at, f"{where}.{name}".lstrip(".") + f" is no key; {_nearest(name, keys)}")
        given = {name for name, _, _ in self._pairs(node)}
        for name, key in keys.items():
            if key.needed and name not in given:
                self._wrong(node, f"{where}.{name}".lstrip(".") + " is missing")
        return found

    def _value(self, node: yaml.Node, key: Key, where: str) -> Any:
        match key.kind:
            case Kind.SECTION:
                return self._section(node, key.inside or {}, where, more=key.more)
            case Kind.SECTIONS:
                return self._each(node, where, lambda one, at: self._section(one, key.inside or {}, at, more=key.more))
            case Kind.NAMES:
                return self._each(node, where, self._text)
            case Kind.PATTERNS | Kind.FREE:
                return self._each(node, where, lambda one, _: self._free(one))
            case Kind.PATTERN:
                return self._free(node)
            case Kind.TEXTS:
                return self._texts(node, where)
        return self._scalar(node, key.kind, where)

    def _scalar(self, node: yaml.Node, kind: Kind, where: str) -> Any:
        text = self._text(node, where)
        try:
            if kind is Kind.NUMBER:
                return float(text)
            if kind is Kind.FLAG:
                return _FLAGS[text.lower()]
            if kind is Kind.TIME:
                return seconds_of(text)
        except (ValueError, KeyError) as error:
            words = {Kind.NUMBER: "a number", Kind.FLAG: "true or false"}.get(kind)
            self._wrong(node, f"{where}: " + (f"{text!r} is not {words}" if words else str(error)))
        return text

    def _each(self, node: yaml.Node, where: str, read: Any) -> dict[str, Any]:
        if not self._is(node, yaml.MappingNode, f"{where} is a mapping"):
            return {}
        return {name: read(value, f"{where}.{name}") for name, _, value in self._pairs(node)}

    def _texts(self, node: yaml.Node, where: str) -> list[str]:
        if isinstance(node, yaml.SequenceNode):
            return [self._text(one, where) for one in node.value]
        return [self._text(node, where)]

    def _text(self, node: yaml.Node, where: str) -> str:
        if not self._is(node, yaml.ScalarNode, f"{where} is a text"):
            return ""
        return str(node.value)

    def _free(self, node: yaml.Node, depth: int = 0) -> Any:
        self._count(node, depth)
        if isinstance(node, yaml.MappingNode):
            return {name: self._free(value, depth + 1) for name, _, value in self._pairs(node)}
        if isinstance(node, yaml.SequenceNode):
            return [self._free(one, depth + 1) for one in node.value]
        return _plain(node)

    def _count(self, node: yaml.Node, depth: int) -> None:
        self._nodes += 1
        if self._nodes > _MAXIMUM_NODES or depth > _MAXIMUM_DEPTH:
            self._wrong(node, "too much, or nested too deeply")
            raise ScenarioError(tuple(self.problems))

    def _pairs(self, node: yaml.Node) -> list[tuple[str, yaml.Node, yaml.Node]]:
        found: dict[str, tuple[str, yaml.Node, yaml.Node]] = {}
        for name, value in node.value:
            if not isinstance(name, yaml.ScalarNode):
                self._wrong(name, "a key is a text")
                continue
            found[str(name.value)] = (str(name.value), name, value)
        return list(found.values())

    def _is(self, node: yaml.Node, kind: type[yaml.Node], words: str) -> bool:
        self._count(node, 0)
        if isinstance(node, kind):
            return True
        self._wrong(node, words)
        return False

    def _wrong(self, node: yaml.Node, words: str) -> None:
        problem = f"{self._file}:{_line(node)}: {words}"
        self.problems[problem] = None
        if len(self.problems) >= _MAXIMUM_PROBLEMS:
            raise ScenarioError((*self.problems, f"{self._file}: and perhaps more"))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _plain(node: yaml.Node) -> Any:
    text = str(node.value)
    if getattr(node, "style", None) is not None:  # quoted: a text whatever it looks like
        return text
    if text.lower() in _NULL:
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text


def _nearest(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"the nearest is {near[0]}" if near else f"known here: {', '.join(known)}"
