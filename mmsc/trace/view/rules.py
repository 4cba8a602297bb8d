"""The rules that findings name, of every protocol that has some."""

from collections.abc import Iterator

import protocols.mm1.meaning_rules
import protocols.mm1.rules
import protocols.mm7.meaning_rules
import protocols.mm7.rules
from protocols.rules import Rule


def rules() -> Iterator[Rule]:
    """All of them, by protocol."""
    yield from protocols.mm1.rules.RULES
    yield from protocols.mm7.rules.RULES
    yield from protocols.mm1.meaning_rules.MEANING_RULES
    yield from protocols.mm7.meaning_rules.MEANING_RULES


def rule_named(name: str) -> Rule | None:
    """The rule with this permanent name."""
    return next((one for one in rules() if one.name == name), None)
