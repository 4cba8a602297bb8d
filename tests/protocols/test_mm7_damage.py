"""Bodies of every operation, damaged element by element: read or refused by an Mm7Error, never anything else, and what
is out of place is told by a rule of its own (TS 23.140 8.7.8)."""

import random
from collections import Counter
from contextlib import suppress

import pytest
from lxml import etree

from protocols import mm7
from protocols.mm7 import schema
from tests.cases import Case, cases

WHOLE = [case for case in cases("mm7") if not case.is_refused and case.meaning["content_type"].startswith("text/xml")]
NAMES = ("Number", "MessageID", "Recipients", "Urgency", "StatusCode", "EarlistDeliveryTime", "Content", "Date")
TEXTS = ("", " ", "true", "High", "HIGH", "P3D", "0", "x & y", "+15550100123", "6.8.0")
NAMESPACES = ("", "urn:x", mm7.BASE + "REL-5-MM7-1-0")


def damage(root: etree._Element, chance: random.Random) -> None:
    """One change somewhere below the body's child."""
    elements = list(root.iter("*"))[5:]
    if not elements:
        return
    one = chance.choice(elements)
    parent = one.getparent()
    assert parent is not None
    match chance.randrange(7):
        case 0:
            parent.remove(one)
        case 1:
            chance.choice(elements).append(etree.fromstring(etree.tostring(one, with_tail=False)))
        case 2:
            parent.insert(chance.randrange(len(parent) + 1), one)
        case 3:
            one.tag = f"{{{etree.QName(one).namespace or 'urn:x'}}}{chance.choice(NAMES)}"
        case 4:
            namespace = chance.choice(NAMESPACES)
            one.tag = f"{{{namespace}}}{etree.QName(one).localname}" if namespace else etree.QName(one).localname
        case 5:
            one.text = chance.choice(TEXTS)
        case _:
            one.set(chance.choice(("href", "id", f"{{{mm7.BASE}x}}href", "displayOnly", "odd")), chance.choice(TEXTS))


@pytest.mark.parametrize("case", WHOLE, ids=str)
def test_damaged_elements_are_read_or_refused(case: Case) -> None:
    chance = random.Random(case.stem)
    outcomes: Counter[str] = Counter()
    for _ in range(150):
        root = etree.fromstring(case.octets)
        for _ in range(chance.randint(1, 4)):
            damage(root, chance)
        octets = etree.tostring(root)
        with suppress(mm7.Mm7Error):
            decoded = mm7.decode("text/xml", octets)
            body = etree.fromstring(octets).find("{*}Body")
            assert body is not None
            fits = isinstance(decoded.message.message, mm7.Fault) or schema.compiled(decoded.message.dialect).validate(
                body[0]
            )
            told = Counter(one.rule for one in decoded.findings)
            outcomes += told
            assert fits or told, etree.tostring(body[0]).decode()
    assert outcomes["MM7-R001"] == 0, "each has a rule of its own"
    assert outcomes
