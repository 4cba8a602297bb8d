"""The MM7 server put together, and EAIF behind the same door."""

from mmsc import configured
from mmsc.clock import Clock
from mmsc.engine.engine import Engine
from mmsc.gateways.eaif.server import EaifServer
from mmsc.gateways.mm7.permission import Permission
from mmsc.gateways.mm7.server import Mm7Server
from mmsc.gateways.mm7.vasp import Vasps
from mmsc.gateways.turns import Turns
from mmsc.reloading import Live
from mmsc.settings import Settings


def mm7_server(engine: Engine, settings: Settings, live: Live, clock: Clock, turns: Turns) -> Mm7Server:
    """What answers VASPs; `live` tells it of new settings."""
    known = engine.neighbours
    vasps = Vasps(known, configured.admission_policy(settings), clock.real_now)
    permission = Permission(engine.submit, engine.numbers, clock.real_now)
    applications = EaifServer(
        *(engine.submit, engine.application_answers, known, vasps, clock),
        realm=settings.mm7.realm,
        permission=permission,
        turns=turns,
    )
    server = Mm7Server(
        *(engine.submit, engine.changes, known),
        vasps=vasps,
        permission=permission,
        other=applications.handle,
        dialects=engine.dialects,
        policy=configured.vasp_policy(settings),
        clock=clock,
        turns=turns,
    )
    house = server.house
    live.values.append(lambda now: setattr(house, "policy", configured.vasp_policy(now)))
    return server
