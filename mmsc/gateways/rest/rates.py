"""REST: what the last seconds brought."""

from typing import Annotated, Final

import msgspec

from mmsc.control.rates import REMEMBERED_SECONDS
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint


class Rate(msgspec.Struct, frozen=True):
    """One thing. `values` has one for each second, oldest first (null: nothing to tell); `now` is the mean of the last
    ten seconds, or for `latency` the 95th percentile (seconds) of what ended in the last minute."""

    name: str
    label: str
    unit: str
    values: list[float | None]
    now: float | None


class Rates(msgspec.Struct, frozen=True):
    """All of them, up to `at` (real time, microseconds since 1970, UTC)."""

    at: int
    rates: list[Rate]


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far back."""

    seconds: Annotated[int, msgspec.Meta(ge=1, le=REMEMBERED_SECONDS)] = REMEMBERED_SECONDS


async def _rates(call: Call) -> Answer:
    rates = call.control.rates
    found = [Rate(one.name, one.label, one.unit, list(one.values), one.now) for one in rates.series(call.query.seconds)]
    return Answer(Rates(rates.at_real, found))


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/rates",
        summary="Accepted, retrieved, reports, refused and submit-to-report, second by second",
        tag="server",
        handle=_rates,
        query=Window,
        answers={200: Rates},
    ),
)
