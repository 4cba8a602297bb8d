"""What the list of messages shows, as its address says it: every address can be pasted and shows the same."""

from dataclasses import fields
from typing import Final, Self
from urllib.parse import quote, urlencode

from aiohttp import web

from protocols.records import record

PLACE: Final = "/messages"
_LONGEST_ID: Final = 19  # digits
_GROUPS: Final = ("", "state")


@record(frozen=True, slots=True, kw_only=True)
class Filter:
    """`q` is what the search box holds; `since` and `run` stand beside it as chips. `until` is the id of the newest
    message on the page: with it a link does not drift. `before` begins below an id."""

    q: str = ""
    since: str = ""
    run: str = ""
    until: str = ""
    before: str = ""
    group: str = ""

    @classmethod
    def of(cls, request: web.Request) -> Self:
        """That of an address. What it does not know is left out; ids that are none, too."""
        given = {one.name: request.query.get(one.name, "").strip() for one in fields(cls)}
        for name in ("until", "before"):
            is_id = given[name].isascii() and given[name].isdecimal() and len(given[name]) <= _LONGEST_ID
            given[name] = given[name] if is_id else ""
        given["group"] = given["group"] if given["group"] in _GROUPS else ""
        return cls(**given)

    @property
    def text(self) -> str:
        """All of it in the words of the search box."""
        more = [f'{name}:"{value}"' for name, value in (("since", self.since), ("run", self.run)) if value]
        return " ".join([*([self.q] if self.q else []), *more])

    @property
    def is_live(self) -> bool:
        """Whether new messages belong to it."""
        return not (self.until or self.before)

    @property
    def below(self) -> int | None:
        """Below which id the page begins."""
        bounds = [int(self.before)] if self.before else []
        bounds += [int(self.until) + 1] if self.until else []
        return min((bound for bound in bounds if bound < 1 << 63), default=None)

    def address(self, place: str = PLACE, **changes: str) -> str:
        """The address of this filter with some of it changed."""
        values = {one.name: changes.get(one.name, getattr(self, one.name)) for one in fields(self)}
        query = urlencode({name: value for name, value in values.items() if value}, safe=":/", quote_via=quote)
        return f"{place}?{query}" if query else place
