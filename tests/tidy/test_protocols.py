"""Each rule says where it is written, each fixture where it comes from, each PDU how far it is covered."""

import importlib
import re
import typing
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

import pytest

from tests.tidy.project import TOP, files, module_of, product_files

# A document and a place in it: "OMA-TS-MMS_ENC 7.3.20", "SMPP v3.4 5.2.12", "TS 23.140 8.4.2", "RFC 2387 3".
CLAUSE: Final = re.compile(
    r"(OMA-TS-|WAP-\d|TS \d\d\.\d\d\d|SMPP v|RFC \d|SOAP |XML |ISO |ITU-T |Unicode |IANA )", re.IGNORECASE
)

# Fixture folders that hold cases of a codec; the name of the union of its messages, and where.
MESSAGES: Final = {"mm1": "Pdu", "mm4": "Message", "mm7": "Message", "smpp": "Pdu"}


def _rows() -> Iterator[tuple[str, Any]]:
    """Every row of every table: whatever has a clause, in a module's tuples and dictionaries."""
    for name in product_files():
        if name.startswith("protocols/"):
            module = importlib.import_module(module_of(name))
            for variable, value in vars(module).items():
                items = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else ()
                rows = (item for item in items if not isinstance(item, type) and hasattr(item, "clause"))
                yield from ((f"{name} {variable}", row) for row in rows)


def test_every_row_of_a_table_names_its_clause() -> None:
    rows = list(_rows())
    assert {type(row).__module__ for _, row in rows} >= {"protocols.forms", "protocols.mm4.headers"}
    assert len(rows) > 100
    for where, row in rows:
        assert CLAUSE.search(row.clause), f"{where}: {row} names no clause"
        assert re.search(r"\d", row.clause), f"{where}: {row} names no clause"


def _stems() -> list[str]:
    named = [PurePosixPath(name) for name in files() if name.startswith("fixtures/")]
    named = [path for path in named if path.parts[1] != "examples"]  # programs, which say so themselves
    return sorted({str(path.parent / path.name.partition(".")[0]) for path in named})


def test_every_fixture_says_where_it_comes_from() -> None:
    stems = _stems()
    assert len(stems) > 100
    assert [told for stem in stems for told in _untold(stem)] == []


def _untold(stem: str) -> Iterator[str]:
    story = TOP / f"{stem}.md"
    if not story.is_file():
        yield f"{stem} has no .md"
    elif len(story.read_text().split()) < 5:
        yield f"{story} says too little"
    has_octets = (TOP / f"{stem}.hex").is_file() or (TOP / f"{stem}.octets").is_file()
    if has_octets and not (TOP / f"{stem}.json").is_file():
        yield f"{stem} has no .json: neither meaning nor refusal"


def _messages() -> list[tuple[str, str]]:
    """The messages of each codec: the members of its union, or the public classes under its common base."""
    found: list[tuple[str, str]] = []
    for protocol, name in MESSAGES.items():
        module = importlib.import_module(f"protocols.{protocol}")
        common = getattr(module, name, None)
        members = typing.get_args(common)
        if isinstance(common, type):
            public = [getattr(module, one) for one in module.__all__]
            members = tuple(
                one for one in public if isinstance(one, type) and issubclass(one, common) and one is not common
            )
        found += [(protocol, member.__name__) for member in members]
    return found


@pytest.mark.parametrize(("protocol", "message"), _messages())
def test_every_message_has_its_row_in_the_coverage_page(protocol: str, message: str) -> None:
    rows = [line for line in (TOP / "protocols" / "COVERAGE.md").read_text().splitlines() if line.startswith("|")]
    own = [line for line in rows if f"`{protocol}.{message}`" in line or f"`{message}`" in line]
    assert own, f"protocols/COVERAGE.md has no row for {protocol}.{message}"


@pytest.mark.parametrize("protocol", sorted(MESSAGES))
def test_every_codec_tells_what_it_knows(protocol: str) -> None:
    assert any(known == protocol for known, _ in _messages()), f"protocols.{protocol}.{MESSAGES[protocol]} is no union"
    module = importlib.import_module(f"protocols.{protocol}")
    assert callable(module.decode)
    assert callable(module.encode)
