"""What the checking schema says about shapes, as tables: which children and attributes a type has, and in which order.

libxml2 stops at the first child that is out of place; with these tables each one is told by its name.
"""

from enum import StrEnum
from functools import lru_cache
from typing import Final

from lxml import etree

from protocols.mm7.namespaces import BASE, LATEST, TAGS, Dialect, dialect
from protocols.mm7.schema import text_for
from protocols.records import record

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"


class Group(StrEnum):
    """How children may follow one another."""

    SEQUENCE = "sequence"
    CHOICE = "choice"
    ALL = "all"


@record(frozen=True, slots=True)
class Child:
    """A child of a type: its place in the order, the name of its type, whether it must be there and may repeat."""

    place: int
    type_name: str
    is_mandatory: bool
    repeats: bool


@record(frozen=True, slots=True)
class Shape:
    """A complex type. Without a `group` it has no children; an `open` one may have any."""

    group: Group | None
    children: dict[str, Child]
    attributes: frozenset[str]
    is_open: bool


@record(frozen=True, slots=True)
class Model:
    """The shapes by the name of their type, and the types of the operations by the name of their element."""

    shapes: dict[str, Shape]
    operations: dict[str, str]


@lru_cache(maxsize=2 * len(TAGS))
def model_of(spoken: Dialect) -> Model:
    """The model of a namespace."""
    root = etree.fromstring(text_for(spoken).encode())
    types = {str(one.get("name")): one for one in root.iterchildren(f"{_XS}complexType")}
    operations = {str(one.get("name")): one.get("type", "") for one in root.iterchildren(f"{_XS}element")}
    return Model({name: _shape(one, types) for name, one in types.items()}, operations)


@lru_cache(maxsize=1)
def _releases() -> tuple[Dialect, ...]:
    """Namespaces that have between them whatever any has."""
    found = (dialect(BASE + tag) for tag in ("REL-5-MM7-1-0", "REL-5-MM7-1-2", LATEST))
    return tuple(one for one in found if one is not None)


def is_in_some_release(type_name: str, child: str) -> bool:
    """Whether some release gives the type such a child."""
    models = map(model_of, _releases())
    return any(type_name in model.shapes and child in model.shapes[type_name].children for model in models)


@lru_cache(maxsize=1)
def words_of_rel6() -> frozenset[str]:
    """Every word of a list that REL-6 brought."""
    first, *_, latest = map(_words, _releases())
    return latest - first


def _words(spoken: Dialect) -> frozenset[str]:
    root = etree.fromstring(text_for(spoken).encode())
    return frozenset(str(one.get("value")) for one in root.iter(f"{_XS}enumeration"))


def _shape(element: etree._Element, types: dict[str, etree._Element]) -> Shape:
    """A type with what it inherits, which stands first."""
    group: Group | None = None
    elements: list[etree._Element] = []
    attributes: set[str] = set()
    is_open = False
    for part in _lineage(element, types):
        attributes.update(str(one.get("name")) for one in part.iter(f"{_XS}attribute"))
        is_open = is_open or part.find(f".//{_XS}any") is not None
        for kind in Group:
            found = part.find(f".//{_XS}{kind.value}")
            if found is not None:
                group = kind
                several = found.get("maxOccurs") == "unbounded"
                elements += [_with_repeats(one, several) for one in found.iterchildren(f"{_XS}element")]
    children = {
        str(one.get("name")): Child(
            place,
            one.get("type", ""),
            group is not Group.CHOICE and one.get("minOccurs") != "0",
            one.get("maxOccurs") == "unbounded",
        )
        for place, one in enumerate(elements)
    }
    return Shape(group, children, frozenset(attributes), is_open)


def _with_repeats(element: etree._Element, several: bool) -> etree._Element:
    if several:
        element.set("maxOccurs", "unbounded")
    return element


def _lineage(element: etree._Element, types: dict[str, etree._Element]) -> list[etree._Element]:
    """The type and those it extends, the oldest first."""
    found = [element]
    while True:
        extension = found[0].find(f".//{_XS}extension")
        parent = None if extension is None else types.get(extension.get("base", ""))
        if parent is None:
            return found
        found.insert(0, parent)
