"""What came of a form, for the page that it leads to (Post/Redirect/Get, RFC 9110 15.4.4). The answer to a form that
did something is 303, so that reloading shows the page again and does nothing again. What there is to say waits here,
because an address that carried the words could be made by anybody. The newest are kept, in memory; an address whose
words are gone shows the page without them.
"""

from collections import OrderedDict
from typing import Final, TypeVar

from aiohttp import web

from mmsc.console.page import control_of

MAXIMUM: Final = 200  # outcomes
MAXIMUM_OCTETS: Final = 16 * 1024 * 1024  # of files that were sent with forms, all together
_NAME: Final = "said"

T = TypeVar("T")


class Said:
    """Outcomes by a key that nobody can guess."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[object, int]] = OrderedDict()
        self._octets = 0

    def keep(self, key: str, outcome: object, octets: int) -> None:
        """Keep it; `octets` says how large it is, as far as that counts."""
        self._kept[key] = (outcome, octets)
        self._octets += octets
        while len(self._kept) > MAXIMUM or (self._octets > MAXIMUM_OCTETS and len(self._kept) > 1):
            self._octets -= self._kept.popitem(last=False)[1][1]

    def of(self, key: str) -> object:
        """The outcome, None when it is gone."""
        return self._kept.get(key, (None, 0))[0]


SAID: Final = web.AppKey("said", Said)


def tell(request: web.Request, outcome: object, octets: int = 0) -> web.Response:
    """Lead to the page at this address, which says what came of it."""
    key = control_of(request).ids.token()
    request.app[SAID].keep(key, outcome, octets)
    return web.Response(status=303, headers={"Location": str(request.rel_url.update_query({_NAME: key}))})


def said_of(request: web.Request, kind: type[T]) -> T | None:
    """What the form that led here came to."""
    found = request.app[SAID].of(request.query.get(_NAME, ""))
    return found if isinstance(found, kind) else None
