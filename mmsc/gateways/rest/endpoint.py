"""One operation of REST: its path, what it takes, what it answers. Routes and the OpenAPI page come from such rows."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from typing import Any, Final

import msgspec
from aiohttp import web

from mmsc.control import Control
from protocols.records import record

ROOT: Final = "/api/v1"
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
LARGEST_ID: Final = 2**63 - 1


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No query parameters."""


class Wrong(msgspec.Struct, frozen=True):
    """One thing that is wrong: the key it is about ("" when it is about several), and why."""

    field: str
    detail: str


class ProblemDocument(msgspec.Struct, frozen=True):
    """Why something was not done (RFC 9457 3). `errors` are there when keys of the body are wrong."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[Wrong, ...] = ()


class Problem(Exception):
    """Why something was not done: becomes a problem document (RFC 9457)."""

    def __init__(self, status: int, detail: str, *, retry_after: str = "", errors: tuple[Wrong, ...] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after
        self.errors = errors


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
    must be there), `body` what msgspec reads the body as (None: no body; a str: that media type, and the octets).
    `documented` is told of the body where `handle` checks more than its type. `answers` are all statuses that `handle`
    gives of its own, each with the type of its JSON (None: no body; a str: that media type); problems are added by
    who makes the page, those of every operation need not be named. `parameters` says what each one of the path is,
    `examples` has values for them, for parameters of the query, and for the `body`. `handle` may raise `Problem`, or
    return a response of its own (streams, files)."""

    method: str
    path: str
    summary: str
    tag: str
    handle: Callable[[Call], Awaitable[Answer | web.StreamResponse]]
    query: type = Nothing
    body: Any = None
    documented: Any = None
    answers: Mapping[int, Any] = field(default_factory=lambda: {200: None})
    problems: tuple[int, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    examples: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""


def number_in(call: Call, name: str) -> int:
    """The number of a row in the path (`/messages/{id}`). Raises Problem 404 for what cannot be one."""
    text = call.path[name]
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= LARGEST_ID):
        raise Problem(404, f"{name} {text[:40]!r} is no number of anything here: it has up to 19 digits")
    return int(text)
