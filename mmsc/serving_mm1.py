"""The MM1 server put together: its settings, and who answers which PDU."""

from collections.abc import Callable

from mmsc.clock import Clock
from mmsc.engine.engine import Engine
from mmsc.gateways.mm1.identity import Identities
from mmsc.gateways.mm1.server import Mm1Server
from mmsc.reloading import Live
from mmsc.settings.model import Mm1


def mm1_server(engine: Engine, settings: Mm1, live: Live, clock: Clock, url: Callable[[], str]) -> Mm1Server:
    """What answers user agents; `live` tells it of new settings, `url` where it is reached."""
    identities = Identities(
        engine.numbers, engine.neighbours, headers=settings.identity_headers, gateways=settings.identity_gateways
    )
    live.values.append(lambda now: identities.believe(now.mm1.identity_headers, now.mm1.identity_gateways))
    return Mm1Server(engine.submit, engine.retrieval, identities, clock, engine.boxes, url)
