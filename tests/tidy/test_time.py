"""Time and chance are handed in: who may look at a clock or throw dice, and why."""

import ast
from typing import Final

from tests.tidy.project import product_files, tree

# Who may sleep or read a clock, and why. Everybody else is given a `Clock`, or uses asyncio's time-outs.
CLOCKS: Final = {
    "mmsc/clock.py": "it is the clock",
    "mmsc/net/": "network time is real",
    "mmsc/engine/timetable.py": "the one scheduler of service time",
    "mmsc/engine/pause.py": "the scheduler's way to sleep",
    "mmsc/trace/rings.py": "who takes captures of many files away gives way to others",
    "mmsc/control/capturing.py": "who reads many captures gives way to others; live ones are gathered in real time",
    "mmsc/control/capture_files.py": "who reads many captures gives way to others",
    "mmsc/store/sqlite.py": "how a slow disk behaves, and how long batches take",
    "mmsc/store/sqlite_readers.py": "a query's own time limit",
    "mmsc/store/postgres.py": "the pause before it connects again is network time",
    "mmsc/gateways/sms/esme.py": "enquire_link and reconnects are network time",
    "mmsc/operations/pulse.py": "how late the event loop is",
    "mmsc/operations/notify.py": "systemd asks for the monotonic clock",
    "mmsc/lab/": "neighbours live in real time",
    "mmsc/load/session.py": "latencies are measured in real time",
    "mmsc/client/": "it waits for a server elsewhere",
    "mmsc/scenario/": "it waits for a server elsewhere, and measures runs",
    "mmsc/cli/": "a person waits",
}
DICE: Final = {
    "mmsc/ids.py": "it is the well of chance",
    "mmsc/gateways/sms/esme.py": "sessions that fell together do not come back together",
    "mmsc/lab/": "neighbours behave at random on purpose",
    "mmsc/load/mix.py": "the mix of messages is drawn from its seed",
    "mmsc/load/octets.py": "a picture is noise from a seed",
}
PASSWORDS: Final = {
    "mmsc/gateways/mm7/passwords.py": "salts of password hashes",
    "mmsc/gateways/mm7/digest.py": "the key that signs nonces",
    "mmsc/console/guard.py": "the key that signs cookies",
}

_SLEEPS_AND_CLOCKS: Final = {
    ("asyncio", "sleep"),
    ("loop", "time"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    *(("time", name) for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep", "gmtime")),
}


def _excused(name: str, reasons: dict[str, str]) -> bool:
    return any(name == path or (path.endswith("/") and name.startswith(path)) for path in reasons)


def _calls(name: str) -> set[tuple[str, str]]:
    """(last name before the dot, method) of every attribute that is used."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Attribute):
            owner = node.value
            if isinstance(owner, ast.Call):
                owner = owner.func
            said = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            found.add(("loop" if said in ("get_running_loop", "get_event_loop") else said.lstrip("_"), node.attr))
        elif isinstance(node, ast.ImportFrom) and node.module in ("time", "asyncio"):
            found |= {(node.module, alias.name) for alias in node.names}
    return found


def test_nobody_else_looks_at_a_clock() -> None:
    used = {name: _calls(name) & _SLEEPS_AND_CLOCKS for name in product_files() if not _excused(name, CLOCKS)}
    assert {name: what for name, what in used.items() if what} == {}


def test_nobody_else_throws_dice() -> None:
    used = {name: _dice(name) for name in product_files() if not _excused(name, DICE | PASSWORDS)}
    assert {name: what for name, what in used.items() if what} == {}


def _dice(name: str) -> set[str]:
    modules = {
        alias.name
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in (node.names if isinstance(node, ast.Import) else [ast.alias(node.module or "")])
    }
    used = modules & {"random", "secrets", "uuid"}
    return used | {"os.urandom"} if ("os", "urandom") in _calls(name) else used


def test_every_excuse_is_still_needed() -> None:
    names = product_files()
    for path in CLOCKS | DICE:
        if not path.startswith(("mmsc/lab/", "mmsc/cli/")):
            assert any(_excused(name, {path: ""}) for name in names), f"{path} is gone: so should its excuse be"


def test_the_check_sees_what_it_should() -> None:
    assert ("time", "time_ns") in _calls("mmsc/clock.py")
