"""REST: what clients get wrong, by rule and client."""

from typing import Annotated, Final

import msgspec

from mmsc.control.findings import FindingsPage, RulePage
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem
from mmsc.gateways.rest.shapes import shape_of, shaped

_TAG: Final = "findings"
_Name = Annotated[str, msgspec.Meta(max_length=200)]


class Whose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of which client: a VASP's or peer's name, or `handsets`; "": of all."""

    client: _Name = ""


class Which(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of which client, and how many samples."""

    client: _Name = ""
    samples: Annotated[int, msgspec.Meta(ge=0, le=50)] = 3


async def _listed(call: Call) -> Answer:
    return Answer(shaped(await call.control.findings.page(call.query.client)))


async def _one(call: Call) -> Answer:
    name = call.path["rule"].upper()
    found = await call.control.findings.rule(name, call.query.client, call.query.samples)
    if found is None:
        raise Problem(404, f"no rule is named {call.path['rule'][:40]!r}")
    return Answer(shaped(found))


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/findings",
        summary="Which rules were broken, by whom and how often",
        tag=_TAG,
        handle=_listed,
        query=Whose,
        answers={200: shape_of(FindingsPage)},
        description="Counted newest first, for 150 ms at most: `through` says whether that is all, else ask again.",
    ),
    Endpoint(
        method="GET",
        path="/findings/{rule}",
        summary="One rule: what it asks for, samples with their octets, and a text for the partner",
        tag=_TAG,
        handle=_one,
        query=Which,
        answers={200: shape_of(RulePage)},
        parameters={"rule": "its permanent name, as `MM7-R012`"},
        examples={"rule": "MM7-R012"},
    ),
)
