"""REST: the dialects of MM7 that a VASP may name. They stand in the settings file or come along, so they are read here
and changed there."""

from typing import Any, Final

import msgspec

from mmsc.control.setup_tables import Profile
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem
from mmsc.gateways.rest.setup import setup_of

_TAG: Final = "profiles"


class ProfileSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A dialect. `where` it stands: `ready` for one that comes along, else the place in the settings; `values` is what
    it sets of its own, all else is as in `based_on` ("": the standard)."""

    name: str
    based_on: str
    where: str
    values: dict[str, Any]


class ProfileList(msgspec.Struct, frozen=True):
    """All of them, the file's first."""

    profiles: list[ProfileSeen]


def _seen(one: Profile) -> ProfileSeen:
    return ProfileSeen(name=one.name, based_on=one.based_on, where=one.where, values=dict(one.values))


async def _listed(call: Call) -> Answer:
    return Answer(ProfileList([_seen(one) for one in setup_of(call).profiles()]))


async def _one(call: Call) -> Answer:
    found = next((one for one in setup_of(call).profiles() if one.name == call.path["name"]), None)
    if found is None:
        raise Problem(404, f"no profile is named {call.path['name'][:60]!r}")
    return Answer(_seen(found))


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/profiles",
        summary="Dialects of MM7 that a VASP may name",
        tag=_TAG,
        handle=_listed,
        answers={200: ProfileList},
        problems=(404,),
    ),
    Endpoint(
        method="GET",
        path="/profiles/{name}",
        summary="One dialect, and what it sets",
        tag=_TAG,
        handle=_one,
        answers={200: ProfileSeen},
        parameters={"name": "its name, as `profile` of a VASP has it"},
        examples={"name": "nokia"},
    ),
)
