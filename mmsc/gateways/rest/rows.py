"""The operations of REST, by topic."""

from typing import Final

from mmsc.gateways.rest import (
    findings,
    handsets,
    identities,
    lab,
    lanes,
    messages,
    rates,
    resets,
    scenarios,
    sending,
    setup,
    subscribers,
    traffic,
    waits,
)
from mmsc.gateways.rest.endpoint import Endpoint

ROWS: Final[tuple[Endpoint, ...]] = (
    *findings.ENDPOINTS,
    *handsets.ENDPOINTS,
    *identities.ENDPOINTS,
    *lab.ENDPOINTS,
    *lanes.ENDPOINTS,
    *messages.ENDPOINTS,
    *rates.ENDPOINTS,
    *resets.ENDPOINTS,
    *scenarios.ENDPOINTS,
    *sending.ENDPOINTS,
    *setup.ENDPOINTS,
    *subscribers.ENDPOINTS,
    *traffic.ENDPOINTS,
    *waits.ENDPOINTS,
)
