"""Recipients that their VASP knows in coded form only (TS 23.140 8.7.1, addressCoding): which of an MM's they are."""

import json
from collections.abc import Mapping
from typing import Final

CODED: Final = "coded_recipients"  # in an MM's details: number -> how its VASP names it, as JSON


def names_of(details: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    """Number to the pieces of its name, for those that have one."""
    if CODED not in details:
        return {}
    return {str(number): tuple(map(str, name)) for number, name in json.loads(details[CODED]).items()}
