"""Lets a handler of `net/http.py` answer a request that aiohttp received."""

from aiohttp import web
from multidict import CIMultiDictProxy

from mmsc.net.http import Handler, HttpRequest
from mmsc.trace.captures import new_exchange


async def answer(handler: Handler, request: web.Request) -> web.Response:
    """The request's body is read whole, within the application's bound."""
    path, _, query = request.raw_path.partition("?")
    headers = CIMultiDictProxy(request.headers.copy())
    asked = HttpRequest(
        request.method, path, query, headers, await request.read(), request.remote or "", new_exchange()
    )
    given = await handler(asked)
    answered = web.Response(status=given.status, reason=given.reason or None, body=given.body, headers=given.headers)
    if given.content_type:
        answered.headers["Content-Type"] = given.content_type
    return answered
