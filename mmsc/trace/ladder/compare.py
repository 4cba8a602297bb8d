"""Two ladders beside each other: arrows that both have, and those that only one has."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from mmsc.trace.ladder.model import Row, RowKind
from protocols.records import record


@record(frozen=True, slots=True)
class Pair:
    """The same arrow in both, or in one alone."""

    left: Row | None
    right: Row | None

    @property
    def only(self) -> str:
        """left, right, or "" where both have it."""
        return "right" if self.left is None else "left" if self.right is None else ""


def align(left: Sequence[Row], right: Sequence[Row]) -> list[Pair]:
    """The longest common run of arrows (by name and direction) stays together, the rest stands alone."""
    ours, theirs = _arrows(left), _arrows(right)
    matcher = SequenceMatcher(None, [_name(one) for one in ours], [_name(one) for one in theirs], autojunk=False)
    pairs: list[Pair] = []
    for what, first, last, begin, end in matcher.get_opcodes():
        if what == "equal":
            pairs += [Pair(one, other) for one, other in zip(ours[first:last], theirs[begin:end], strict=True)]
        else:
            pairs += [Pair(one, None) for one in ours[first:last]]
            pairs += [Pair(None, one) for one in theirs[begin:end]]
    return pairs


def marks(pair: Pair) -> tuple[str, ...]:
    """In what the two differ beside their times: what they carry, how they were answered, faults, findings.
    Where the octets of one left the ring, only that is known."""
    left, right = pair.left, pair.right
    if left is None or right is None:
        return (f"only {pair.only}",)
    if left.gone or right.gone:
        return ("octets",) if left.gone is not right.gone else ()
    found = ["carries"] if _plain(left.beneath) != _plain(right.beneath) else []
    found += ["answer"] if _answer(left) != _answer(right) else []
    found += ["fault"] if left.fault != right.fault else []
    found += ["findings"] if left.findings != right.findings else []
    return tuple(found)


def _arrows(rows: Sequence[Row]) -> list[Row]:
    return [one for one in rows if one.source >= 0 and one.target >= 0 and one.kind is not RowKind.TOLD]


def _name(row: Row) -> tuple[str, bool]:
    """By what it is called, without what is each one's own: tokens in paths."""
    return row.name.partition(" ")[0], row.source < row.target


def _plain(text: str) -> str:
    """Sizes are each one's own, too: a token is longer or shorter."""
    return "" if text.endswith(" octets") else text


def _answer(row: Row) -> str:
    said = row.answer.text if row.answer is not None else ""
    return "answered" if said.startswith("answered by ") else said
