"""The rules whose breach is forgiven and remarked: their names are permanent, each with its clause and what it says."""

from typing import Final

from protocols.errors import Finding
from protocols.records import record


@record(frozen=True, slots=True)
class Rule:
    """A rule of MM7; `text` is what it asks for."""

    name: str
    clause: str
    text: str

    def broken(self, remark: str) -> Finding:
        """The finding that this rule was broken."""
        return Finding(self.name, self.clause, -1, remark)


SCHEMA: Final = Rule("MM7-R001", "TS 23.140 8.7.8", "the body's child follows the schema of its namespace")
PUBLISHED: Final = Rule("MM7-R002", "TS 23.140 8.7.8", "the namespace is a published one, spelled as published")
REFERENCE: Final = Rule("MM7-R003", "TS 23.140 8.7.8", "an attachment is named by the href of Content")
RULES: Final = (SCHEMA, PUBLISHED, REFERENCE)
