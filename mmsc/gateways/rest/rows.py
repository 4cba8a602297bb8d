"""The operations of REST, by topic."""

from typing import Final

from mmsc.gateways.rest import clock, faults, identities, lab
from mmsc.gateways.rest.endpoint import Endpoint

ROWS: Final[tuple[Endpoint, ...]] = (
    *identities.ENDPOINTS,
    *lab.ENDPOINTS,
    *faults.ENDPOINTS,
    *clock.ENDPOINTS,
)
