"""How a page is made: Jinja2 with all text escaped, headers that let nothing foreign run, and what pages share."""

from typing import Any, Final

import jinja2
from aiohttp import web

from mmsc.console import assets, words
from mmsc.console.frame import frame_of
from mmsc.console.guard import COOKIE
from mmsc.control import Control

HOLDER: Final = web.AppKey("holder", dict[str, Control])  # {"control": ...} once the server is up
ASKS: Final = web.AppKey("asks", bool)  # whether a token is asked for
SECURITY: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
        "connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_templates: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("mmsc.console"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals["asset"] = assets.place
_templates.filters.update(words.FILTERS)
_macros: Final = _templates.get_template("state.html").module
for _name in ("icon", "state", "mark", "copyable"):  # everywhere, without an import
    _templates.globals[_name] = getattr(_macros, _name)


def control_of(request: web.Request) -> Control:
    """What the pages look at. Only asked for once the server is up: the application sees to that."""
    return request.app[HOLDER]["control"]


def markup(template: str, **values: Any) -> str:
    """A piece of a page."""
    return _templates.get_template(template).render(values)


def page(
    request: web.Request, template: str, *, status: int = 200, title: str, live: str = "/live", **values: Any
) -> web.Response:
    """A whole page; `title` is the tab's. Templates extend `base.html`. `live` is the address of the page's stream
    (`live.py`): one of its own, or the one that every page has for what stands around it."""
    control = control_of(request)
    frame = frame_of(request, control, leave=COOKIE in request.cookies)
    text = markup(template, title=title, path=request.path, control=control, frame=frame, live=live, **values)
    return web.Response(text=text, content_type="text/html", status=status, headers={"Cache-Control": "no-store"})
