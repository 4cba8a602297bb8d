"""The operations of REST, by topic."""

from typing import Final

from mmsc.gateways.rest import handsets, identities, lab, lanes, rates, scenarios, sending, setup, subscribers, traffic
from mmsc.gateways.rest.endpoint import Endpoint

ROWS: Final[tuple[Endpoint, ...]] = (
    *handsets.ENDPOINTS,
    *identities.ENDPOINTS,
    *lab.ENDPOINTS,
    *lanes.ENDPOINTS,
    *rates.ENDPOINTS,
    *scenarios.ENDPOINTS,
    *sending.ENDPOINTS,
    *setup.ENDPOINTS,
    *subscribers.ENDPOINTS,
    *traffic.ENDPOINTS,
)
