"""A row of the catalogue."""

from mmsc.faults.parameters import Parameter
from mmsc.faults.points import Group, Point
from protocols.records import record


@record(frozen=True, slots=True)
class Fault:
    """`text` is what it does, in one line; `clause` says where the behaviour that it provokes is defined; `only` are
    the operations that it meets, none for all of its point."""

    name: str
    group: Group
    point: Point
    text: str
    clause: str
    parameters: tuple[Parameter, ...] = ()
    only: tuple[str, ...] = ()

    @property
    def interface(self) -> str:
        """The interface that its hits are counted for."""
        return self.point.value.partition(".")[0]
