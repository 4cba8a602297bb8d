"""REST: begin again, with everything or with one run."""

from typing import Annotated, Final

import msgspec

from mmsc.control.resetting import NotThisStore, ResetDone
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes: the messages of `run`, or without one everything. `store` names a store that other nodes may share:
    it is emptied only then."""

    run: Annotated[str, msgspec.Meta(max_length=200)] = ""
    store: Annotated[str, msgspec.Meta(max_length=1000)] = ""


async def _reset(call: Call) -> Answer:
    asked: Asked = call.body
    resetting = call.control.resetting
    if asked.run:
        return Answer(await resetting.of_run(asked.run))
    try:
        return Answer(await resetting.everything(asked.store))
    except NotThisStore as error:
        raise Problem(409, str(error)) from error


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/reset",
        summary="Take away all messages, or those of one run",
        tag="reset",
        handle=_reset,
        body=Asked,
        answers={200: ResetDone},
        problems=(409,),
        examples={"body": {"run": "ci-4711"}},
        description=(
            "Messages go with their recipients, tasks, reports and events; with everything also MMBoxes, captures and"
            " the events of lanes. Neighbours, settings and the clock stay. What is under way ends without effect."
        ),
    ),
)
