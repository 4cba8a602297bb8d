"""The operations of REST, by topic."""

from typing import Final

from mmsc.gateways.rest import clock, faults, handsets, identities, lab, lanes, rates, sending
from mmsc.gateways.rest.endpoint import Endpoint

ROWS: Final[tuple[Endpoint, ...]] = (
    *handsets.ENDPOINTS,
    *identities.ENDPOINTS,
    *lab.ENDPOINTS,
    *faults.ENDPOINTS,
    *clock.ENDPOINTS,
    *lanes.ENDPOINTS,
    *rates.ENDPOINTS,
    *sending.ENDPOINTS,
)
