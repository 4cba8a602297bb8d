"""What is wrong with a JSON form, in the words of the person who wrote it."""

import difflib
from collections.abc import Iterable


class JsonFormError(ValueError):
    """`where` is the key, or the way to it (parts[2].content_type); `why` is for people; `clause` names the rule, ""
    for what is no rule of the standard's."""

    def __init__(self, where: str, why: str, clause: str = "") -> None:
        super().__init__(f"{where}: {why}" + (f" ({clause})" if clause else ""))
        self.where = where
        self.why = why
        self.clause = clause


def nearest(given: str, known: Iterable[str]) -> str:
    """`; the nearest is NAME`, or "" when nothing is near."""
    by_case = {one.lower(): one for one in known}
    near = difflib.get_close_matches(given.lower(), by_case, n=1, cutoff=0.6)
    return f"; the nearest is {by_case[near[0]]}" if near else ""
