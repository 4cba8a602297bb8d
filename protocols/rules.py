"""Rules of the protocols whose breach is forgiven and remarked. Their names are permanent: they stand in traces, logs
and other people's bug reports. `mmsc explain` prints them."""

from protocols.errors import Finding
from protocols.records import record


@record(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: its permanent name (`MM7-R012`), clause, what it asks for, why that matters, and an example of each kind.

    `where` says what the examples stand in."""

    name: str
    clause: str
    text: str
    why: str
    good: str
    bad: str
    where: str

    def broken(self, remark: str, offset: int = -1, clause: str = "") -> Finding:
        """The finding that this rule was broken at `offset`, -1: by the whole message. `clause` is that of the field
        where the rule is about many."""
        return Finding(self.name, clause or self.clause, offset, remark)
