"""Scripts and styles, under names that change with their octets, so that browsers may keep them for ever."""

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Final

from aiohttp import web

_KINDS: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
ONE_SHEET: Final = "console.css"


def routes() -> Iterator[web.RouteDef]:
    """Where they are."""
    yield web.get("/static/{version}/{name:[A-Za-z0-9._/-]+}", _serve)


def place(name: str) -> str:
    """The address of one of them: `js/console.js`, `vendor/...`, `css/pages/list.css` for one page
    alone, or `console.css`, which is all that stands in `css/` itself, in order."""
    return f"/static/{hashlib.sha256(_files()[name]).hexdigest()[:12]}/{name}"


@cache
def _files() -> dict[str, bytes]:
    root = resources.files("mmsc.console") / "static"
    found = {
        f"{folder}/{one.name}": one.read_bytes()
        for folder in ("js", "vendor", "css", "css/pages", "img")
        for one in (root / folder).iterdir()
        if one.name.endswith(tuple(_KINDS))
    }
    for name in found:
        if name.startswith("css/"):
            found[name] = _without_air(found[name])
    sheets = [octets for name, octets in sorted(found.items()) if name.rpartition("/")[0] == "css"]
    return {**found, ONE_SHEET: b"".join(sheets)}


def _without_air(sheet: bytes) -> bytes:
    """A sheet without comments, ends of lines and indents: rules stay as they are written."""
    return re.sub(rb"\s*\n\s*", b"\n", re.sub(rb"/\*.*?\*/", b"", sheet, flags=re.DOTALL).strip())


async def _serve(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    octets = _files().get(name)
    if octets is None:
        raise web.HTTPNotFound
    kind = _KINDS[name[name.rindex(".") :]]
    answer = web.Response(body=octets, content_type=kind, charset="utf-8", headers=_FOR_EVER)
    answer.enable_compression()
    return answer
