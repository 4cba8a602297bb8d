"""The walls of the house: who may import whom. A room that is not listed here has no right to anything."""

import ast
import sys
from typing import Final

import pytest

from tests.tidy.project import imports, module_of, product_files, tree

ANYWHERE: Final = "protocols.records"  # about Python, not about a wire
_BASE: Final = (
    *(
        "octets",
        "forms",
        "errors",
        "enums",
        "address",
        "content_type",
        "mime",
        "charset",
        "header_fields",
        "rules",
        "mail",
        "mailboxes",
    ),
)
BASE: Final = tuple(f"protocols.{name}" for name in _BASE)

# Modules of the standard library that touch the world: protocols and domain have no use for any of them.
WORLD: Final = frozenset(
    {
        *("asyncio", "socket", "ssl", "select", "selectors", "socketserver", "http", "urllib.request", "smtplib"),
        *("subprocess", "threading", "multiprocessing", "concurrent", "signal", "sched", "queue", "time", "random"),
        *("secrets", "uuid", "logging", "os", "io", "pathlib", "shutil", "tempfile", "glob", "sqlite3", "ftplib"),
        *("sys", "importlib", "runpy", "ctypes", "mmap", "fcntl", "gc", "builtins", "contextvars", "imaplib", "poplib"),
        *(
            "dbm",
            "shelve",
            "pickle",
            "fileinput",
            "getpass",
            "platform",
            "pty",
            "tty",
            "webbrowser",
            "xmlrpc",
            "wsgiref",
        ),
    }
)
# Built-in functions that do.
DOORS: Final = frozenset({"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint", "globals"})
PURE: Final = ("protocols", "mmsc.domain")

PARTS: Final = (
    *("mmsc.domain", "mmsc.engine", "mmsc.net", "mmsc.faults", "mmsc.trace", "mmsc.clock", "mmsc.ids"),
    *("mmsc.gateways.addresses", "mmsc.gateways.content", "mmsc.gateways.pdus"),
    *("mmsc.gateways.http_outcomes", "mmsc.gateways.vasp_fields", "mmsc.gateways.repeats", "mmsc.gateways.once"),
    *("mmsc.gateways.runs", "mmsc.gateways.turns"),
)

# Room -> what it may import beside itself and the standard library. The longest matching room counts.
ROOMS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(BASE, BASE),
    "protocols": (),
    "protocols.mime": (*BASE, "pybase64"),
    "protocols.wsp": BASE,
    "protocols.mm1": (*BASE, "protocols.wsp"),
    "protocols.sms": (*BASE, "protocols.wsp"),
    "protocols.mm3": BASE,
    "protocols.mm4": BASE,
    "protocols.mm7": (*BASE, "lxml"),
    "protocols.eaif": BASE,
    "protocols.smpp": BASE,
    "protocols.uaprof": (*BASE, "lxml"),
    "protocols.smil": (*BASE, "lxml"),
    "mmsc": (),
    "mmsc.domain": (),
    "mmsc.client": (),  # it is copied into other people's programs
    "mmsc.pytest_plugin": ("mmsc.client", "pytest"),
    "mmsc.scenario": ("mmsc.client", "yaml", "jinja2", "markupsafe", "msgspec"),
    "mmsc.clock": ("mmsc.domain.instant",),
    "mmsc.ids": ("mmsc.clock",),
    "mmsc.settings": ("msgspec",),
    "mmsc.trace": ("mmsc.domain", "mmsc.clock", "msgspec"),
    "mmsc.trace.view": ("mmsc.domain", "mmsc.clock", "mmsc.trace", "msgspec", "protocols"),
    "mmsc.trace.json_form": ("mmsc.domain", "mmsc.clock", "mmsc.trace", "msgspec", "protocols"),
    "mmsc.trace.ladder": ("mmsc.domain", "mmsc.clock", "mmsc.trace", "msgspec", "protocols"),
    "mmsc.trace.pcapng": ("mmsc.domain", "mmsc.clock", "mmsc.trace", "msgspec", "protocols"),
    "mmsc.store": ("mmsc.domain", "mmsc.trace.events", "msgspec", "asyncpg"),
    "mmsc.cdr": ("mmsc.domain", "mmsc.store", "mmsc.trace.events", "mmsc.clock", "mmsc.ids", "msgspec"),
    "mmsc.store.objects": ("mmsc.store", "obstore"),
    "mmsc.engine": ("mmsc.domain", "mmsc.store", "mmsc.trace", "mmsc.clock", "mmsc.ids", "msgspec"),
    "mmsc.net": (
        "mmsc.domain.instant",
        "mmsc.domain.durations",
        "mmsc.trace",
        "mmsc.clock",
        "httptools",
        "multidict",
        "aiosmtpd",
        "aiosmtplib",
    ),
    "mmsc.faults": ("mmsc.trace", "mmsc.clock", "mmsc.domain.instant", "mmsc.net", "protocols", "msgspec", "lxml"),
    "mmsc.gateways": (),
    "mmsc.gateways.addresses": ("protocols", "mmsc.domain"),  # and with addresses
    "mmsc.gateways.content": ("protocols", "mmsc.domain", "mmsc.trace"),  # what all of them do with content
    "mmsc.gateways.pdus": (
        *("protocols", "mmsc.domain"),
        *("mmsc.gateways.addresses", "mmsc.gateways.content", "mmsc.gateways.vasp_fields"),
    ),  # what MM1 and EAIF do with MMS PDUs
    "mmsc.gateways.vasp_fields": ("protocols", "mmsc.domain", "mmsc.gateways.addresses"),  # details as PDU fields
    "mmsc.gateways.repeats": ("xxhash",),  # what makes a request the same again
    "mmsc.gateways.once": ("mmsc.domain",),  # what is made once for all recipients of an MM
    "mmsc.gateways.runs": ("mmsc.domain",),  # whose MMs they are, where several people share a server
    "mmsc.gateways.turns": ("mmsc.domain",),  # whose request is looked at next
    "mmsc.gateways.http_outcomes": ("mmsc.engine.ports", "mmsc.net.http_client"),
    "mmsc.gateways.eaif": ("protocols", *PARTS),
    "mmsc.gateways.mm1": ("protocols", *PARTS),
    "mmsc.gateways.mm3": ("protocols", *PARTS),
    "mmsc.gateways.mm4": ("protocols", *PARTS, "aiosmtpd", "aiosmtplib"),
    "mmsc.gateways.mm7": ("protocols", *PARTS, "lxml"),
    "mmsc.gateways.rest": (
        *PARTS,
        "mmsc.control",
        "mmsc.lab",
        "mmsc.scenario",
        "mmsc.client",
        "protocols",
        "msgspec",
        "aiohttp",
    ),
    "mmsc.control": (
        *PARTS,
        "mmsc.settings",
        "mmsc.lab",
        "mmsc.scenario",
        "mmsc.client",
        "mmsc.capability",
        "protocols",
        "msgspec",
    ),
    "mmsc.console": (
        *("mmsc.domain", "mmsc.control", "mmsc.engine", "mmsc.trace", "mmsc.net", "mmsc.clock", "mmsc.gateways.rest"),
        "protocols",
        *("mmsc.scenario", "mmsc.client"),
        *("aiohttp", "multidict", "jinja2", "markupsafe", "msgspec"),
    ),
    "mmsc.gateways.sms": ("protocols", *PARTS),
    "mmsc.weblink": ("protocols", *PARTS, "jinja2", "markupsafe"),
    "mmsc.operations": (
        *("mmsc.domain", "mmsc.engine", "mmsc.net", "mmsc.trace", "mmsc.clock", "mmsc.ids"),
        *("msgspec", "prometheus_client"),
    ),
    "mmsc.capability": ("mmsc.domain", "mmsc.net", "mmsc.trace", "mmsc.engine.ports", "protocols"),
    "mmsc.load": ("protocols", "mmsc.net", "mmsc.faults", "mmsc.trace", "mmsc.clock", "mmsc.ids"),
    "mmsc.lab": (
        *("protocols", "mmsc.domain.instant", "mmsc.net", "mmsc.faults", "mmsc.trace", "mmsc.clock", "mmsc.ids"),
        *("aiohttp", "aiosmtpd", "aiosmtplib", "multidict", "zeep", "requests", "lxml", "msgspec"),
    ),
}

# These know everybody, and nobody knows them.
ROOF: Final = (
    *(
        "mmsc.app",
        "mmsc.cli",
        "mmsc.configured",
        "mmsc.configured_faults",
        "mmsc.configured_neighbours",
        "mmsc.configured_profiles",
        "mmsc.operating",
        "mmsc.reloading",
        "mmsc.setting_up",
        "mmsc.serving_mail",
        "mmsc.serving_mm1",
        "mmsc.serving_mm7",
        "mmsc.standing_in",
        "mmsc.storing",
    ),
    "mmsc.__main__",
)


def inside(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def room_of(module: str) -> str | None:
    return max((room for room in ROOMS if inside(module, room)), key=len, default=None)


def _touches_the_world(imported: str) -> bool:
    """`importlib.resources` only reads what lies beside the code: the published schemas."""
    return (imported.partition(".")[0] in WORLD and imported != "importlib.resources") or imported in WORLD


def allowed(importer: str, imported: str) -> str:
    """ "" when the import is right, else why it is not."""
    top = imported.partition(".")[0]
    if any(inside(importer, pure) for pure in PURE) and _touches_the_world(imported):
        return f"{imported} touches the world; {importer.partition('.')[0]} is octets, objects and rules"
    if top in sys.stdlib_module_names or imported == ANYWHERE:
        return ""
    if any(inside(importer, roof) for roof in ROOF):
        return ""
    if any(inside(imported, roof) for roof in ROOF):
        return f"nobody imports {imported}"
    room = room_of(importer)
    if room is None:
        return f"{importer} is in no room of tests/tidy/test_walls.py"
    if inside(imported, room) and room not in ("protocols", "mmsc", "mmsc.gateways"):
        return ""
    if any(inside(imported, other) for other in ROOMS[room]):
        return ""
    if room == importer and inside(imported, importer):
        return ""  # a package's own face
    return f"{room} may not import {imported}"


def test_a_room_imports_only_what_it_may() -> None:
    wrong = [
        f"{name}: {why}"
        for name in product_files()
        for imported in imports(name)
        if (why := allowed(module_of(name), imported))
    ]
    assert wrong == []


def test_what_is_pure_opens_no_door() -> None:
    """No file, no terminal, no code out of text, and no clock by way of a class."""
    pure = [name for name in product_files() if name.startswith(("protocols/", "mmsc/domain/"))]
    assert len(pure) > 50
    assert {name: doors for name in pure if (doors := _doors(name))} == {}


def _doors(name: str) -> set[str]:
    used = {node.id for node in ast.walk(tree(name)) if isinstance(node, ast.Name)} & DOORS
    calls = [node.func for node in ast.walk(tree(name)) if isinstance(node, ast.Call)]
    return used | {node.attr for node in calls if isinstance(node, ast.Attribute)} & {"now", "utcnow", "today"}


def test_no_gateway_knows_another() -> None:
    shared = {"mmsc.gateways.addresses", "mmsc.gateways.content", "mmsc.gateways.pdus", "mmsc.gateways.http_outcomes"}
    shared |= {"mmsc.gateways.vasp_fields", "mmsc.gateways.repeats", "mmsc.gateways.once", "mmsc.gateways.runs"}
    shared |= {"mmsc.gateways.turns"}
    gateways = {room for room in ROOMS if room.startswith("mmsc.gateways.")} - shared
    for name in product_files():
        own = next((room for room in gateways if inside(module_of(name), room)), None)
        if own is not None:
            others = [other for other in imports(name) if any(inside(other, room) for room in gateways - {own})]
            assert others == [], f"{name} imports {others}"


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("protocols.mm4.codec", "protocols.mm1"),
        ("protocols.mm1.codec", "mmsc.clock"),
        ("protocols.mm1.codec", "asyncio"),
        ("protocols.octets", "lxml.etree"),
        ("protocols.mm1.codec", "importlib"),
        ("protocols.mm1.codec", "importlib.util"),
        ("protocols.mm1.codec", "sys"),
        ("mmsc.domain.states", "sqlite3"),
        ("mmsc.domain.states", "time"),
        ("mmsc.domain.states", "msgspec"),
        ("mmsc.gateways.mm1.server", "mmsc.store.core"),
        ("mmsc.gateways.mm1.server", "mmsc.gateways.mm7.server"),
        ("mmsc.lab.handset", "mmsc.engine.ports"),
        ("mmsc.load.driver", "mmsc.engine.ports"),
        ("mmsc.load.driver", "mmsc.store.core"),
        ("mmsc.load.driver", "mmsc.lab.handset"),
        ("mmsc.engine.submit", "mmsc.app"),
        ("mmsc.trace.bus", "protocols.mm1"),
        ("mmsc.newroom.thing", "mmsc.domain"),
        ("mmsc.engine.submit", "aiohttp"),
    ],
)
def test_the_walls_hold(importer: str, imported: str) -> None:
    assert allowed(importer, imported) != ""
