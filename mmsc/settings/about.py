"""What each key of a neighbour is, in the words of the manual (config/mmsc.toml): for forms and OpenAPI."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources


@cache
def _all() -> dict[str, dict[str, str]]:
    return tomllib.loads((resources.files("mmsc.settings") / "about_neighbours.toml").read_text("utf-8"))


def about(kind: str) -> Mapping[str, str]:
    """Key -> what it is, of `vasp`, `peer`, `smsc` or `subscriber`."""
    return _all()[kind]
