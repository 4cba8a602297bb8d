"""REST: VASPs, peers and SMSCs. What the settings file names is locked; the rest is made, changed and deleted here, by
the file's own rules, and is in force on all nodes with the answer.
"""

from collections.abc import Callable, Coroutine, Iterator
from typing import Annotated, Any, Final

import msgspec

from mmsc.control.setup import Setup
from mmsc.control.setup_tables import Entry, SetupFull, SetupLocked, SetupWaits, SetupWrong
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem, Wrong
from mmsc.gateways.rest.setup_types import ENTRY, GIVEN, PAGE

_TITLES: Final = {"vasp": "VASP", "peer": "peer (a foreign MMSC)", "smsc": "SMSC"}
_EXAMPLES: Final[dict[str, Any]] = {
    "vasp": {"vasp_id": "weather", "username": "weather", "password": "secret", "report_url": "http://127.0.0.1:8900/"},
    "peer": {"domain": "mms.other.example", "host": "192.0.2.7", "port": 25, "prefixes": ["+1666"]},
    "smsc": {"host": "192.0.2.8", "port": 2775, "system_id": "mmsc", "password": "secret"},
}
_NAME: Final = {"name": "its name: letters, digits, dots, hyphens and underscores"}

Limit = Annotated[int, msgspec.Meta(ge=1, le=1000, description="entries of a page")]
Handle = Callable[[Call], Coroutine[Any, Any, Answer]]


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which page of which names."""

    after: Annotated[str, msgspec.Meta(description="the `next` of the page before")] = ""
    limit: Limit = 100
    q: Annotated[str, msgspec.Meta(description="what a name contains, or how a number begins")] = ""


class Deleting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How sure the caller is."""

    with_work: Annotated[bool, msgspec.Meta(description="also when tasks wait for it; they will fail")] = False


def setup_of(call: Call) -> Setup:
    """The server's setup. Raises Problem 404 where there is none."""
    if call.control.setup is None:
        raise Problem(404, "this server has no setup")
    return call.control.setup


def refused(error: SetupWrong | SetupLocked | SetupFull | SetupWaits) -> Problem:
    """Why something was not done: 400 with all keys that are wrong, 409 where something stands against it."""
    if isinstance(error, SetupWrong):
        return Problem(400, str(error), errors=tuple(Wrong(key, why) for key, why in error.errors))
    if isinstance(error, SetupWaits):
        return Problem(409, f"{error}. Ask with with_work=true to delete it all the same")
    return Problem(409, str(error))


REFUSALS: Final = (SetupWrong, SetupLocked, SetupFull, SetupWaits)


def _listing(kind: str) -> Handle:
    async def listed(call: Call) -> Answer:
        found, more = setup_of(call).listed(kind, call.query.after, call.query.limit, call.query.q)
        return Answer({f"{kind}s": [_told(one) for one in found], "next": more})

    return listed


def _showing(kind: str) -> Handle:
    async def shown(call: Call) -> Answer:
        found = setup_of(call).one(kind, call.path["name"])
        if found is None:
            raise _unknown(kind, call)
        return Answer(_told(found))

    return shown


def _putting(kind: str) -> Handle:
    async def put(call: Call) -> Answer:
        try:
            entry, new = await setup_of(call).put(kind, call.path["name"], call.body)
        except REFUSALS as error:
            raise refused(error) from error
        return Answer(_told(entry), 201 if new else 200)

    return put


def _deleting(kind: str) -> Handle:
    async def delete(call: Call) -> Answer:
        try:
            if not await setup_of(call).delete(kind, call.path["name"], with_work=call.query.with_work):
                raise _unknown(kind, call)
        except REFUSALS as error:
            raise refused(error) from error
        return Answer(status=204)

    return delete


def _told(entry: Entry) -> dict[str, Any]:
    since = entry.secret_at
    return {
        "name": entry.name,
        "origin": entry.origin,
        "where": entry.where,
        "aside": entry.aside,
        "password_set": entry.has_secret,
        "password_since": since,
        "settings": entry.shown,
    }


def _unknown(kind: str, call: Call) -> Problem:
    return Problem(404, f"there is no {_TITLES[kind]} {call.path['name'][:60]!r}")


def _operations(kind: str) -> Iterator[Endpoint]:
    place, one, title = f"/{kind}s", f"/{kind}s/{{name}}", _TITLES[kind]
    tag, examples = f"{kind}s", {"name": "weather" if kind == "vasp" else "other", "body": _EXAMPLES[kind]}
    yield Endpoint(
        method="GET",
        path=place,
        summary=f"The {title.partition(' ')[0]}s",
        tag=tag,
        handle=_listing(kind),
        query=Page,
        answers={200: PAGE[kind]},
    )
    common: dict[str, Any] = {"path": one, "tag": tag, "parameters": _NAME, "examples": examples}
    yield Endpoint(method="GET", summary=f"One {title}", handle=_showing(kind), answers={200: ENTRY[kind]}, **common)
    yield Endpoint(
        method="PUT",
        summary=f"Make a {title}, or change all of it",
        description="A key that is left out is as in the settings file; a secret that is left out stays as it was.",
        handle=_putting(kind),
        body=dict[str, Any],
        documented=GIVEN[kind],
        answers={200: ENTRY[kind], 201: ENTRY[kind]},
        problems=(409,),
        **common,
    )
    yield Endpoint(
        method="DELETE",
        summary=f"Delete a {title}",
        description="409 says how many tasks wait for it, and where a settings file has it.",
        handle=_deleting(kind),
        query=Deleting,
        answers={204: None},
        problems=(409,),
        **common,
    )


ENDPOINTS: Final = (*_operations("vasp"), *_operations("peer"), *_operations("smsc"))
