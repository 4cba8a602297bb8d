"""How much of what retention removes goes into one unit: a batch holds the event loop for its statements."""

from collections.abc import Sequence

from mmsc.store import housekeeping as sql


def fitting(going: Sequence[sql.KeptBody], rows: int, octets: int) -> list[sql.KeptBody]:
    """The first of them that make up a unit: at least one."""
    batch: list[sql.KeptBody] = []
    for one in going[:rows]:
        if octets <= 0:
            break
        octets -= one.octets
        batch.append(one)
    return batch


def together(going: Sequence[sql.OldMm], rows: int) -> list[sql.OldMm]:
    """The first of them whose rows fit into a unit; none when the first alone has too many."""
    batch: list[sql.OldMm] = []
    for one in going:
        rows -= one.rows
        if rows < 0:
            break
        batch.append(one)
    return batch
