"""The MM1 server put together: its settings, and who answers which PDU."""

from collections.abc import Callable
from typing import Any

from mmsc.clock import Clock
from mmsc.engine.engine import Engine
from mmsc.gateways.mm1.forward import ForwardRequests
from mmsc.gateways.mm1.identity import Identities
from mmsc.gateways.mm1.senders import SenderPolicy, Senders
from mmsc.gateways.mm1.server import Mm1Server
from mmsc.gateways.turns import Turns
from mmsc.reloading import Live
from mmsc.settings import Settings
from mmsc.settings.model import Mm1
from protocols.mm1 import MForwardReq, Pdu


def mm1_server(
    engine: Engine, settings: Mm1, live: Live, clock: Clock, url: Callable[[], str], turns: Turns
) -> Mm1Server:
    """What answers user agents; `live` tells it of new settings, `url` where it is reached."""
    identities = Identities(
        engine.numbers,
        engine.neighbours,
        headers=settings.identity_headers,
        gateways=settings.identity_gateways,
        address_headers=settings.address_headers,
    )

    def believe(now: Settings) -> None:
        identities.believe(now.mm1.identity_headers, now.mm1.identity_gateways, now.mm1.address_headers)

    live.values.append(believe)
    senders = Senders(identities, sender_policy(settings))
    live.values.append(lambda now: setattr(senders, "policy", sender_policy(now.mm1)))
    forwards = ForwardRequests(engine.forwards, engine.box_forwards, engine.submit, senders, clock, url)
    more: dict[type[Pdu], Any] = {MForwardReq: forwards.forward_req}
    return Mm1Server(
        *(engine.submit, engine.retrieval, identities, clock, engine.boxes, url, more), senders=senders, turns=turns
    )


def sender_policy(settings: Mm1) -> SenderPolicy:
    """What is decided about senders."""
    return SenderPolicy(address_hiding=settings.address_hiding, foreign_from_refused=settings.foreign_from == "refuse")
