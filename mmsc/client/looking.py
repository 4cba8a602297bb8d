"""What an expectation looks at: requests that VASPs got, what handsets got, events, PDUs, states, each as a name and
fields; and how near one of them came."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from mmsc.client.handsets import Handsets
from mmsc.client.patterns import filled, fits, found, said, spelling
from mmsc.client.rest import ApiError, Client, Json

SOURCES: Final = ("vasp_got", "phone_got", "event", "pdu", "state")


@dataclass(frozen=True)
class Seen:
    """One thing that happened. `key` tells it from every other."""

    key: tuple[str, ...]
    name: str
    fields: Mapping[str, Any]
    pdu: str = ""  # its number in the ladder
    mm_id: str = ""
    carries: str = ""  # the PDU within: a notification in its submit_sm


@dataclass(frozen=True)
class Wanted:
    """An expectation with its variables put in. `where` are patterns about the thing itself (from, to)."""

    source: str
    name: Any
    fields: Mapping[str, Any]
    where: Mapping[str, Any]
    mm_id: str = ""
    vasp: str = "demo"
    phone: str = ""
    number: str = ""

    @property
    def words(self) -> str:
        """On one line."""
        place = {"vasp_got": f"at VASP {self.vasp}", "phone_got": f"at handset {self.phone}"}.get(self.source, "")
        whose = f"of {self.number}" if self.number else ""
        fields = " ".join(f"{name}={said(value)}" for name, value in {**self.where, **self.fields}.items())
        return " ".join(filter(None, (self.source.removesuffix("_got"), said(self.name), place, whose, fields)))


def wanted(what: Mapping[str, Any], variables: Mapping[str, Any], mm_id: str) -> Wanted:
    """Raises Unknown for a variable that nobody saved, ValueError for an expectation of nothing or of two things."""
    given = filled(what, variables)
    sources = [one for one in SOURCES if one in given]
    if len(sources) != 1:
        raise ValueError(
            f"an expectation names one of {', '.join(SOURCES)}; this names {' and '.join(sources) or 'none'}"
        )
    source = sources[0]
    if source == "phone_got" and not given.get("phone"):
        raise ValueError("phone_got needs `phone`, the handset's number")
    return Wanted(
        source,
        given[source],
        given.get("fields") or {},
        {name: given[name] for name in ("from", "to") if name in given},
        mm_id,
        given.get("vasp") or "demo",
        given.get("phone") or "",
        given.get("number") or "",
    )


def misses(one: Seen, wish: Wanted) -> list[str]:
    """The names that keep it from being what is wanted; "" among them stands for its own name."""
    wrong = [] if _named(wish.name, one.name) or (one.carries and _named(wish.name, one.carries)) else [""]
    patterns = {**wish.where, **wish.fields}
    return wrong + [name for name, pattern in patterns.items() if not fits(pattern, found(one.fields, name))]


def _named(pattern: Any, name: str) -> bool:
    return fits(pattern, name) or (isinstance(pattern, str) and spelling(pattern) == spelling(name))


def nearest(seen: list[Seen], wish: Wanted) -> Seen | None:
    """The one that misses least, the latest of those."""
    ranked = [
        (("" in wrong, len(wrong), -number), one) for number, one in enumerate(seen) for wrong in (misses(one, wish),)
    ]
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


def lines(wish: Wanted, one: Seen | None) -> tuple[str, str]:
    """Expected and got, field under field."""
    patterns = {**wish.where, **wish.fields}
    left, right = [said(wish.name)], ["nothing of the kind" if one is None else one.name]
    for name, pattern in patterns.items():
        left.append(f"{name}={said(pattern)}")
        right.append("" if one is None else f"{name}={said(found(one.fields, name))}")
    widths = [max(len(a), len(b)) for a, b in zip(left, right, strict=True)]
    made = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in (left, right)
    ]
    return made[0], made[1]


class Looker:
    """Asks a lab for what happened."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def seen(self, wish: Wanted) -> list[Seen]:
        """Everything of the kind that happened so far, oldest first. Raises ApiError, OSError."""
        by_source: dict[str, Callable[[Wanted], Iterator[Seen]]] = {
            "vasp_got": self._vasp,
            "phone_got": self._phone,
            "event": self._events,
            "pdu": self._pdus,
            "state": self._states,
        }
        return list(by_source[wish.source](wish))

    def _vasp(self, wish: Wanted) -> Iterator[Seen]:
        for one in self._client.received(vasp=wish.vasp):
            beside = {name: one[name] for name in ("transaction_id", "is_repeat", "answer")}
            yield Seen(("vasp", wish.vasp, str(one["number"])), one["name"], {**one["message"], **beside})

    def _phone(self, wish: Wanted) -> Iterator[Seen]:
        for one in Handsets(self._client).inbox(wish.phone):  # a message that waits is not yet one that is here
            yield Seen(("phone", wish.phone, str(one["number"]), one["state"]), one["kind"], one)

    def _events(self, wish: Wanted) -> Iterator[Seen]:
        of = {one["id"]: one["address"] for one in self._client.recipients(wish.mm_id)} if wish.number else {}
        for one in self._client.events(wish.mm_id):
            if not wish.number or fits(wish.number, of.get(one.get("recipient_id"))):
                yield Seen(("event", one["id"]), one["kind"], {**one, **one["data"]}, mm_id=wish.mm_id)

    def _pdus(self, wish: Wanted) -> Iterator[Seen]:
        for one in self._client.pdus(wish.mm_id):
            ends = (one["party"], "mmsc") if one["direction"] == "in" else ("mmsc", one["party"])
            seen = Seen(
                ("pdu", wish.mm_id, one["number"]),
                one["name"],
                {**one, "from": ends[0], "to": ends[1]},
                one["number"],
                wish.mm_id,
                one["carries"],
            )
            yield self._with_fields(wish, seen)

    def _with_fields(self, wish: Wanted, seen: Seen) -> Seen:
        """A PDU's own fields are only asked for where they matter."""
        if not wish.fields or "" in misses(seen, wish):
            return seen
        try:
            whole = self._client.pdu(wish.mm_id, seen.pdu)
        except ApiError:
            return seen
        return replace(seen, fields={**tree_fields(whole), **seen.fields})

    def _states(self, wish: Wanted) -> Iterator[Seen]:
        """One thing: what all recipients agree on, or each of them."""
        rows = [
            one for one in self._client.recipients(wish.mm_id) if not wish.number or fits(wish.number, one["address"])
        ]
        states = {one["state"] for one in rows}
        name = states.pop() if len(states) == 1 else ", ".join(f"{one['address']} {one['state']}" for one in rows)
        fields = {"state": name, **(rows[0] if len(rows) == 1 else {})}
        yield Seen(("state", wish.mm_id, wish.number, name), name or "no recipient", fields, mm_id=wish.mm_id)


def tree_fields(pdu: Json) -> dict[str, Any]:
    """The fields of a decoded PDU, from its tree: by name, the outermost of a name first."""
    fields: dict[str, Any] = {}

    def walk(nodes: Any) -> None:
        for one in nodes or ():
            name, value = one.get("name"), one.get("value")
            if name and value not in (None, ""):
                fields.setdefault(str(name), value)
            walk(one.get("children"))

    walk(pdu.get("tree"))
    return fields
