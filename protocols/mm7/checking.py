"""A body held against the schema of its namespace, and each breach told by its rule (TS 23.140 8.7.8).

What is valid costs one run of libxml2. What is not is set right by `shapes` and run once more: libxml2 then tells the
values, each by the rule that goes with the type of the error.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final, cast

from lxml import etree

from protocols.errors import Finding
from protocols.mm7 import rules, schema
from protocols.mm7.namespaces import Dialect
from protocols.mm7.schema.model import words_of_rel6
from protocols.mm7.shapes import Straightener
from protocols.rules import Rule

MAXIMUM_FINDINGS: Final = 20
_MAXIMUM_REMARK: Final = 500  # characters
_MAXIMUM_CHECKED_OCTETS: Final = 128 * 1024  # libxml2's time grows with the square of the errors,
_MAXIMUM_CHECKED_ELEMENTS: Final = 3000  # and <DC/> is one in five octets
_LEAST_TOO_MUCH: Final = _MAXIMUM_CHECKED_ELEMENTS * len("<a/>")  # octets: fewer cannot hold so many elements
_SUBJECT: Final = re.compile(r"Element '([^']*)'(?:, attribute '([^']*)')?: (?:\[facet '\w+'\] )?", re.DOTALL)
_VALUE: Final = re.compile(r"The value '([^']*)' is not an element of the set")
_CODED: Final = re.compile(r"(?:Number|RFC2822Address|ShortCode)', attribute '(?:addressCoding|id)'")
_SIMPLE_TYPES: Final = {
    "xs:boolean": rules.BOOLEAN,
    "xs:dateTime": rules.DATE_TIME,
    "xs:positiveInteger": rules.INTEGER,
}
_BY_TYPE: Final = {
    "SCHEMAV_CVC_ENUMERATION_VALID": rules.ENUMERATION,
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_3": rules.DATE_TIME,  # the one union is that of dateTime and duration
    "SCHEMAV_CVC_PATTERN_VALID": rules.VERSION,  # the one pattern
    "SCHEMAV_CVC_MINLENGTH_VALID": rules.EMPTY_ADDRESS,
    "SCHEMAV_CVC_TYPE_3_1_1": rules.ATTRIBUTE,  # of an element that holds text
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": rules.ATTRIBUTE,
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2": rules.ATTRIBUTE,
    "SCHEMAV_CVC_COMPLEX_TYPE_4": rules.MISSING,
    "SCHEMAV_CVC_COMPLEX_TYPE_2_1": rules.TEXT,
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": rules.TEXT,
    "SCHEMAV_CVC_ELT_1": rules.OPERATION,
}


def check(spoken: Dialect, element: etree._Element, octets: int) -> Iterable[Finding]:
    """What the schema of the namespace has to say about an operation's element; `octets` is the length of the SOAP
    part. The tree is changed when there is anything."""
    size = _too_much(element, octets) if octets >= _LEAST_TOO_MUCH else ""
    if size:
        return (rules.SCHEMA.broken(f"not held against the schema: SOAP of {size} is too long for that"),)
    checker = schema.compiled(spoken)
    if checker.validate(element):
        return ()
    first = [_told(rules.SCHEMA, error, spoken) for error in islice(_errors(checker), 1)]
    straightener = Straightener(spoken)
    straightener.straighten(element)
    findings = straightener.findings
    if len(findings) < MAXIMUM_FINDINGS and not checker.validate(element):
        tree = etree.ElementTree(element)  # libxml2's paths begin there
        added = {tree.getpath(one) for one in straightener.added}
        findings += _of_values(checker, spoken, added)
    return findings[:MAXIMUM_FINDINGS] or first


def _errors(checker: etree.XMLSchema) -> Iterator[Any]:
    return iter(cast("Iterable[Any]", checker.error_log))  # its stubs know no iteration


def _of_values(checker: etree.XMLSchema, spoken: Dialect, added: set[str]) -> list[Finding]:
    """The errors that are left, one for each place and rule."""
    found: dict[tuple[str, str, str], Finding] = {}
    for error in islice(_errors(checker), 2 * MAXIMUM_FINDINGS):
        rule = _rule_of(error, spoken)
        if error.path in added or rule is rules.OPERATION:
            continue
        subject = _SUBJECT.match(error.message)
        attribute = "" if subject is None else subject[2] or ""
        found.setdefault((rule.name, str(error.path), attribute), _told(rule, error, spoken))
    return list(found.values())


def _rule_of(error: Any, spoken: Dialect) -> Rule:
    message = str(error.message)
    if error.type_name == "SCHEMAV_ELEMENT_CONTENT":
        return _rule_of_content(message)
    if error.type_name == "SCHEMAV_CVC_DATATYPE_VALID_1_2_1":
        return next((rule for name, rule in _SIMPLE_TYPES.items() if f"'{name}'" in message), rules.SCHEMA)
    rule = _BY_TYPE.get(error.type_name, rules.SCHEMA)
    if rule is rules.ENUMERATION and spoken.is_rel5:
        value = _VALUE.search(message)
        return rules.RELEASE if value is not None and value[1] in words_of_rel6() else rule
    return rules.RELEASE if rule is rules.ATTRIBUTE and spoken.is_rel5 and _CODED.search(message) else rule


def _rule_of_content(message: str) -> Rule:
    """What is left of errors about children: no address where one belongs, or one too many."""
    if "Missing child element" in message:
        return rules.EMPTY_ADDRESS
    return rules.REPEATED if "Expected" not in message else rules.SCHEMA


def _told(rule: Rule, error: Any, spoken: Dialect) -> Finding:
    """The finding in libxml2's words, behind the element, its line and its attribute."""
    text = str(error.message).replace(f"{{{spoken.namespace}}}", "")
    subject = _SUBJECT.match(text)
    if subject is not None:
        attribute = f", attribute {subject[2]}," if subject[2] else ""
        text = f"{subject[1]}{attribute} in line {error.line}: {text[subject.end() :]}"
    return rule.broken(text if len(text) <= _MAXIMUM_REMARK else text[:_MAXIMUM_REMARK] + "...")


def _too_much(element: etree._Element, octets: int) -> str:
    """What there is too much of, "" when there is not."""
    if octets > _MAXIMUM_CHECKED_OCTETS:
        return f"{octets} octets"
    beyond = next(islice(element.iter(), _MAXIMUM_CHECKED_ELEMENTS, None), None)
    return "" if beyond is None else f"more than {_MAXIMUM_CHECKED_ELEMENTS} elements"
