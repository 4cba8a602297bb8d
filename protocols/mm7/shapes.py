"""A body that the schema refuses, set right piece by piece (TS 23.140 8.7.8): each thing that was out of place is a
finding, and what is left can be held against the schema for its values.

The tree is changed. It is read before, and nobody looks at it afterwards.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from lxml import etree

from protocols.errors import Finding
from protocols.mm7 import rules
from protocols.mm7.elements import MISSPELLED
from protocols.mm7.namespaces import Dialect
from protocols.mm7.schema.model import Child, Group, Model, Shape, is_in_some_release, model_of
from protocols.mm7.soap import local_name, namespace_of

_LONGEST_VALUE: Final = 80  # characters of what an element says
_OTHER_RELEASE: Final = {  # the same by another name
    "TimeStamp": "Date",
    "Date": "TimeStamp",
    "DistributionProtection": "DistributionIndicator",
    "DistributionIndicator": "DistributionProtection",
}
_IN_REPORTS: Final = {"Recipients": "Recipient"}  # as Korean peers write it


def said(element: etree._Element) -> str:
    """An element as a remark names it: its name, its line in the SOAP part, what it says."""
    text = (element.text or "").strip()
    value = f" {_short(text)!r}" if text else ""
    return f"{_short(local_name(element))}{value} in line {element.sourceline}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "..."


def longest_rise(places: list[int]) -> set[int]:
    """The indices of the longest part that does not fall: what is not in it is out of place, and nothing else."""
    ends: list[int] = []  # the least place that a rise of each length can end with
    last: list[int] = []  # and the index where it does
    before = [-1] * len(places)
    for index, place in enumerate(places):
        length = bisect_right(ends, place)
        before[index] = last[length - 1] if length else -1
        ends[length : length + 1] = [place]
        last[length : length + 1] = [index]
    found: set[int] = set()
    index = last[-1] if last else -1
    while index >= 0:
        found.add(index)
        index = before[index]
    return found


class Straightener:
    """Sets one body right. `findings` tell what was wrong, `added` are empty elements for those that were missing."""

    def __init__(self, spoken: Dialect) -> None:
        self._spoken = spoken
        self._model: Model = model_of(spoken)
        self.findings: list[Finding] = []
        self.added: list[etree._Element] = []

    def straighten(self, root: etree._Element) -> None:
        """The whole body, from the operation's element down."""
        type_name = self._model.operations.get(local_name(root))
        if type_name is None:
            self.findings.append(rules.OPERATION.broken(f"{self._spoken.tag} has no {said(root)}"))
            return
        if namespace_of(root) != self._spoken.namespace:
            self._strangers([root])
        self._element(root, type_name)

    def _element(self, element: etree._Element, type_name: str) -> None:
        shape = self._model.shapes.get(type_name)
        if shape is None:  # it holds text
            self._known(element, type_name, {})
            return
        if shape.is_open:
            return
        self._attributes(element, shape)
        self._plain_address(element, shape)
        kept = self._known(element, type_name, shape.children)
        if shape.group is not None:
            kept = list(self._once_each(kept, element, shape.children))
            if shape.group is Group.SEQUENCE:
                self._order(kept, element, shape.children)
            self._add_missing(kept, element, shape.children)
        for one in kept:
            self._element(one, shape.children[local_name(one)].type_name)

    def _known(self, element: etree._Element, type_name: str, children: dict[str, Child]) -> list[etree._Element]:
        """Its children as far as they are some."""
        inside = [one for one in element if local_name(one)]
        kept = [one for one in inside if self._is_known(one, element, type_name, children)]
        self._strangers([one for one in kept if namespace_of(one) != self._spoken.namespace])
        return kept

    def _plain_address(self, element: etree._Element, shape: Shape) -> None:
        text = (element.text or "").strip()
        if text and "Number" in shape.children:
            self.findings.append(rules.ADDRESS_FORM.broken(f"{said(element)}: no element says what kind it is"))
            element.text = None
            if len(element) == 0:
                etree.SubElement(element, f"{{{self._spoken.namespace}}}Number").text = text

    def _attributes(self, element: etree._Element, shape: Shape) -> None:
        for name, value in list(element.attrib.items()):
            namespace, brace, local = str(name).rpartition("}")
            if brace and local in shape.attributes:
                found = f"{said(element)}: attribute {local} is in namespace {_short(namespace[1:])}"
                self.findings.append(rules.QUALIFIED.broken(found))
                del element.attrib[name]
                if local not in element.attrib:
                    element.set(local, value)

    def _strangers(self, children: list[etree._Element]) -> None:
        """Elements of no namespace or another one, told once for a row of brothers, with all below them."""
        if not children:
            return
        namespace = namespace_of(children[0]) or "none"
        more = f" (and {len(children) - 1} more beside it)" if len(children) > 1 else ""
        remark = f"{said(children[0])}{more}: its namespace is {_short(namespace)}"
        self.findings.append(rules.CHILD_NAMESPACE.broken(remark))
        for child in children:
            for one in child.iter():
                if local_name(one):
                    one.tag = f"{{{self._spoken.namespace}}}{local_name(one)}"

    def _is_known(
        self, child: etree._Element, parent: etree._Element, type_name: str, children: dict[str, Child]
    ) -> bool:
        """Whether the parent has such a child, once its name is spelled right; else it is taken out."""
        name = local_name(child)
        if name in children:
            return True
        right = MISSPELLED.get(name) or _IN_REPORTS.get(name, "")
        if right in children:
            self.findings.append(rules.MISSPELT.broken(f"{said(child)}: it is spelled {right}"))
        elif is_in_some_release(type_name, name):
            remark = f"{said(child)}: no child of {local_name(parent)} in {self._spoken.tag}"
            self.findings.append(rules.RELEASE.broken(remark))
            right = _OTHER_RELEASE.get(name, "")
        else:
            self.findings.append(rules.UNKNOWN_ELEMENT.broken(f"{said(child)}: no child of {local_name(parent)}"))
        if right not in children:
            parent.remove(child)
            return False
        child.tag = f"{{{namespace_of(child)}}}{right}" if namespace_of(child) else right
        return True

    def _once_each(
        self, kept: list[etree._Element], parent: etree._Element, children: dict[str, Child]
    ) -> Iterator[etree._Element]:
        seen: set[str] = set()
        for child in kept:
            name = local_name(child)
            if name in seen and not children[name].repeats:
                self.findings.append(rules.REPEATED.broken(f"{said(child)}: {local_name(parent)} has one already"))
                parent.remove(child)
            else:
                seen.add(name)
                yield child

    def _order(self, kept: list[etree._Element], parent: etree._Element, children: dict[str, Child]) -> None:
        places = [children[local_name(one)].place for one in kept]
        stay = longest_rise(places)
        if len(stay) == len(kept):
            return
        right = sorted(kept, key=lambda one: children[local_name(one)].place)
        for index, child in enumerate(kept):
            if index not in stay:
                at = right.index(child)
                there = f"behind {local_name(right[at - 1])}" if at else f"before {local_name(right[1])}"
                self.findings.append(rules.ORDER.broken(f"{said(child)}: it belongs {there}"))
        parent[:] = right

    def _add_missing(self, kept: list[etree._Element], parent: etree._Element, children: dict[str, Child]) -> None:
        there = {local_name(one) for one in kept}
        for name, child in children.items():
            if child.is_mandatory and name not in there:
                self.findings.append(rules.MISSING.broken(f"{said(parent)}: {name} is missing"))
                empty = etree.Element(f"{{{self._spoken.namespace}}}{name}")
                at = sum(children[local_name(one)].place < child.place for one in parent if local_name(one) in children)
                parent.insert(at, empty)
                self.added.append(empty)
