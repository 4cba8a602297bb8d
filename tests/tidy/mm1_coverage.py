"""The MM1 part of protocols/COVERAGE.md, made from the tables of the codec and from the goldens.

`python -m tests.tidy.mm1_coverage` writes it anew; `test_mm1_coverage.py` compares."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from protocols import mm1
from protocols.mm1.headers import HEADERS
from tests.cases import Case, cases
from tests.interop.test_python_messaging import LAST_TYPE
from tests.interop.test_tshark_mm1 import INDEXED
from tests.protocols.mm1_strategies import OF_CLASS, PDUS, rows_of

PATH: Final = Path(__file__).parents[2] / "protocols" / "COVERAGE.md"
BEGIN: Final = "<!-- made by `python -m tests.tidy.mm1_coverage` from the tables and the goldens -->"
END: Final = "<!-- end of what is made -->"
COMMAND: Final = ".venv/bin/python -m tests.tidy.mm1_coverage"
_SHOWN: Final = 4  # goldens of a row
GAPS: Final[dict[type[mm1.Pdu], str]] = {}  # what is known to be missing, by hand
_TOKENS_ONLY: Final = ("Content", "Additional-headers")  # never headers (7.3.1)


@cache
def goldens() -> dict[tuple[type[mm1.Pdu], str], tuple[Case, ...]]:
    """The goldens that have a field, by class and attribute ("" for all of the class)."""
    found: dict[tuple[type[mm1.Pdu], str], list[Case]] = defaultdict(list)
    for case in cases("mm1"):
        if not case.is_refused:
            pdu = mm1.decode(case.octets).message
            found[type(pdu), ""].append(case)
            for attribute in rows_of(type(pdu)):
                if getattr(pdu, attribute) not in (None, ()):
                    found[type(pdu), attribute].append(case)
    return {key: tuple(several) for key, several in found.items()}


def _numbers(found: list[Case]) -> str:
    numbers = [case.stem.partition("-")[0] for case in sorted(found, key=str)]
    return ", ".join(numbers[:_SHOWN]) + (" ..." if len(numbers) > _SHOWN else "")


def _version(since: int) -> str:
    return f"{since >> 4}.{since & 15}"


def _works(found: list[Case], encode: bool) -> str:
    """Read, and written as the golden has it."""
    if not encode:
        return "yes" if found else "no"
    written = [case for case in found if mm1.encode(mm1.decode(case.octets).message) == case.octets]
    return "yes" if written else "no"


def _judges(cls: type[mm1.Pdu]) -> str:
    named = ["golden", "cuts"]
    named += ["round trip", "second decoder"] if cls in OF_CLASS else []
    named += [] if cls in INDEXED else ["tshark"]
    named += ["python-messaging"] if cls.message_type <= LAST_TYPE else []
    return ", ".join(named)


def _pdus() -> Iterator[str]:
    yield "| Message | Type | Since | Clause | Decode | Encode | Goldens | Tests | Known gaps |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for cls in PDUS:
        own = list(goldens().get((cls, ""), ()))
        name = cls.message_type.name.lower().replace("_", "-")
        cells = (
            f"`mm1.{cls.__name__}` {name}",
            f"{int(cls.message_type):02X}",
            _version(cls.since),
            cls.clause,
            _works(own, encode=False),
            _works(own, encode=True),
            _numbers(own),
            _judges(cls),
            GAPS.get(cls, ""),
        )
        yield f"| {' | '.join(cells)} |"


def _fields() -> Iterator[str]:
    yield "| No. | Field | Value | Since | Clause | Decode | Encode | Goldens |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in HEADERS:
        found = {
            case.stem: case
            for (cls, attribute), several in goldens().items()
            for case in several
            if (attribute and rows_of(cls)[attribute].number == row.number)
            or (not attribute and row.attribute == "message_type")
        }
        used = list(found.values())
        told = [_works(used, encode=False), _works(used, encode=True), _numbers(used)]
        if row.wire_name in _TOKENS_ONLY:
            told = ["-", "-", "only a token of X-Mms-Attributes"]
        cells = (f"{row.number:02X}", row.wire_name, _value(row.number), _version(row.since), row.clause, *told)
        yield f"| {' | '.join(cells)} |"


def _value(number: int) -> str:
    """Every form that some PDU has the field in."""
    forms = {row.form.name: None for row in HEADERS if row.number == number}
    forms |= {row.form.name: None for cls in PDUS for row in cls.variants if row.number == number}
    return "; ".join(forms).replace(" | ", " or ")


def _matrix() -> Iterator[str]:
    yield f"| Field | {' | '.join(f'{int(cls.message_type):02X}' for cls in PDUS)} |"
    yield f"|---|{'---|' * len(PDUS)}"
    listed = {cls: {row.number: attribute for attribute, row in rows_of(cls).items()} for cls in PDUS}
    for row in HEADERS:
        if row.attribute == "message_type" or row.wire_name in _TOKENS_ONLY:
            continue
        marks = []
        for cls in PDUS:
            attribute = listed[cls].get(row.number)
            must = attribute in cls.mandatory or attribute == "mms_version"
            marks.append("" if attribute is None else "M" if must else "o")
        yield f"| {row.wire_name} | {' | '.join(marks)} |"


def page() -> str:
    """What stands between the two marks."""
    return "\n".join(
        (
            *_pdus(),
            "",
            "Fields, each made up in every round trip of the PDUs that list it, and read again by the second decoder:",
            "",
            *_fields(),
            "",
            "Which PDU lists which field (columns are types): M mandatory for the writer, o optional. Any other field",
            "is kept in `unknown`. At least one golden of a PDU has each of its fields.",
            "",
            *_matrix(),
        )
    )


def parts(text: str) -> tuple[str, str, str]:
    """The page before the mark, between the marks and behind them."""
    before, _, rest = text.partition(BEGIN)
    made, _, behind = rest.partition(END)
    return before, made, behind


def main() -> None:
    """Write the made part anew, and leave the rest."""
    before, _, behind = parts(PATH.read_text())
    PATH.write_text(f"{before}{BEGIN}\n\n{page()}\n\n{END}{behind}")


if __name__ == "__main__":
    main()
