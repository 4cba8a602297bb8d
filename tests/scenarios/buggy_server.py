"""`mmsc` with a deliberate bug, for the harnesses that must find it: buggy_server.py BUG NOTE serve --config FILE.

BUG is `forgets` (one MM is answered positively and never stored; its MessageID is written to the file NOTE) or `later`
(every submission is told to come again)."""

import sys
from pathlib import Path
from typing import Any

from mmsc.cli.group import main
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.engine.ports import Accepted
from mmsc.engine.submit import Submitter

_commit = Submitter._commit


def first(note: Path, message_id: str) -> bool:
    """Whether this is the first MM of all lives; its id is written down."""
    if note.exists():
        return False
    note.write_text(message_id)
    return True


def forget(note: Path) -> None:
    """Lose one MM that was promised."""

    async def commit(self: Submitter, plan: Any, *rest: Any) -> Accepted | None:
        if not first(note, plan.mm.message_id):
            return await _commit(self, plan, *rest)
        return Accepted(plan.mm.id, plan.mm.message_id, plan.refused, content_id=plan.mm.content_id)

    setattr(Submitter, "_commit", commit)  # noqa: B010 (the type checker would be right)


def say_later(note: Path) -> None:
    """Take nothing."""

    async def accept(self: Submitter, *_: object, **__: object) -> Refused:
        return Refused(RefusalReason.BUSY, "later")

    setattr(Submitter, "accept", accept)  # noqa: B010


if __name__ == "__main__":
    bug, note = sys.argv[1:3]
    {"forgets": forget, "later": say_later}[bug](Path(note))
    main(sys.argv[3:])
