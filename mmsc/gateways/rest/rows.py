"""The operations of REST, by topic."""

from typing import Final

from mmsc.gateways.rest import captures, handsets, identities, lab, lanes, rates, replay, scenarios, sending, setup, subscribers
from mmsc.gateways.rest.endpoint import Endpoint

ROWS: Final[tuple[Endpoint, ...]] = (
    *captures.ENDPOINTS,
    *handsets.ENDPOINTS,
    *identities.ENDPOINTS,
    *lab.ENDPOINTS,
    *lanes.ENDPOINTS,
    *rates.ENDPOINTS,
    *replay.ENDPOINTS,
    *scenarios.ENDPOINTS,
    *sending.ENDPOINTS,
    *setup.ENDPOINTS,
    *subscribers.ENDPOINTS,
)
