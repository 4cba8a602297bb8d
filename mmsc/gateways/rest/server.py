"""REST: what this server is, and what it offers."""

from typing import Final

from mmsc.control.server import Capabilities, Server, ServerState
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem


def _server(call: Call) -> Server:
    if call.control.server is None:
        raise Problem(404, "this is no whole server")
    return call.control.server


async def _state(call: Call) -> Answer:
    engine = call.control.engine
    node = str(engine.heartbeat.holder.node)
    return Answer(_server(call).state(node, call.control.places(), shared=engine.store.shared))


async def _capabilities(call: Call) -> Answer:
    control = call.control
    offered = {
        "phones": control.phones is not None,
        "lab": control.neighbours is not None,
        "scenarios": control.scenarios is not None,
    }
    return Answer(_server(call).capabilities(**offered))


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/server",
        summary="Version, places, clock and limits",
        tag="server",
        handle=_state,
        answers={200: ServerState},
        problems=(404,),
    ),
    Endpoint(
        method="GET",
        path="/capabilities",
        summary="What this server offers",
        tag="server",
        handle=_capabilities,
        answers={200: Capabilities},
        problems=(404,),
    ),
)
