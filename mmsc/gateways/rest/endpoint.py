"""One operation of REST: its path, what it takes, what it answers. Routes and the OpenAPI page come from such rows."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from typing import Any, Final

import msgspec
from aiohttp import web

from mmsc.control import Control
from protocols.records import record

ROOT: Final = "/api/v1"


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No query parameters."""


class Problem(Exception):
    """Why something was not done: becomes a problem document (RFC 9457)."""

    def __init__(self, status: int, detail: str, *, retry_after: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after


@record(frozen=True, slots=True)
class Answer:
    """Something that was asked for: `content` goes out as JSON; None with 204."""

    content: Any = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


@record(frozen=True, slots=True)
class Call:
    """One request: path parameters as written (decoded), the query and the body as their Structs."""

    control: Control
    path: Mapping[str, str]
    query: Any
    body: Any
    request: web.Request


@record(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`path` stands below ROOT, with `{name}` for parameters. `query` is a Struct (every field with a default unless it
    must be there), `body` what msgspec reads the body as (None: no body). `answers` are all statuses that `handle`
    gives of its own, each with the type of its JSON (None: no body; a str: that media type); problems are added by
    who makes the page. `handle` may raise `Problem`, or return a response of its own (streams, files)."""

    method: str
    path: str
    summary: str
    tag: str
    handle: Callable[[Call], Awaitable[Answer | web.StreamResponse]]
    query: type = Nothing
    body: Any = None
    answers: Mapping[int, Any] = field(default_factory=lambda: {200: None})
    problems: tuple[int, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)  # of the path: what each one is
    description: str = ""
