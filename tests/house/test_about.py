"""What the forms and OpenAPI say of a neighbour's keys is what the manual says: `config/mmsc.toml`.

`python -m tests.house.test_about` writes the file anew."""

import json
import re
from importlib import resources
from pathlib import Path

import msgspec
import pytest

from mmsc.settings import neighbours
from mmsc.settings.about import about

MANUAL = Path(__file__).parents[2] / "config" / "mmsc.toml"
KEPT = resources.files("mmsc.settings") / "about_neighbours.toml"
SECTIONS: dict[str, type[msgspec.Struct]] = {
    "vasp": neighbours.Vasp,
    "peer": neighbours.Peer,
    "smsc": neighbours.Smsc,
    "subscriber": neighbours.Subscriber,
}
_HEADER = re.compile(r"(?:# )?\[(vasp|peer|smsc|subscriber)\.")
_KEY = re.compile(r"(?:# )?([a-z0-9_]+) = ")


def extracted() -> dict[str, dict[str, str]]:
    """kind -> key -> its comment, from the first table of each kind."""
    found: dict[str, dict[str, str]] = {}
    kind: str = ""
    said: list[str] = []
    for line in MANUAL.read_text("utf-8").splitlines():
        header, key = _HEADER.match(line), _KEY.match(line)
        if header is not None:
            kind, said = header[1] if header[1] not in found else "", []
            found.setdefault(header[1], {})
        elif re.match(r"(?:# )?\[", line) or (not line and kind):
            kind = kind if not line else ""
        elif key is not None and kind:
            if said:
                found[kind].setdefault(key[1], " ".join(said))
            said = []
        elif re.match(r"#( #)? ", line):
            said.append(re.sub(r"^#( #)? ", "", line))
    return found


def text() -> str:
    lines = ["# What each key of a neighbour is: from config/mmsc.toml, by `python -m tests.house.test_about`."]
    for kind, keys in extracted().items():
        lines += ["", f"[{kind}]", *(f"{key} = {json.dumps(said, ensure_ascii=False)}" for key, said in keys.items())]
    return "\n".join(lines) + "\n"


def test_the_package_says_of_the_keys_what_the_manual_says() -> None:
    assert KEPT.read_text("utf-8") == text(), "run python -m tests.house.test_about"


@pytest.mark.parametrize("kind", list(SECTIONS))
def test_every_key_is_told_of(kind: str) -> None:
    keys = {field.name for field in msgspec.structs.fields(SECTIONS[kind])}
    assert set(about(kind)) == keys


if __name__ == "__main__":
    Path(str(KEPT)).write_text(text(), "utf-8")
