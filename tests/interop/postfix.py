"""A Postfix of a test's own: folders, port and log are its own, and the installed one is not touched."""

import asyncio
import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.tools import missing, needs

HOSTNAME = "relay.example"

_MAIN = {
    "compatibility_level": "3.6",
    "myhostname": HOSTNAME,
    "myorigin": HOSTNAME,
    "mydestination": "",
    "mynetworks": "127.0.0.0/8",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "maillog_file": "/dev/stdout",  # who started it reads the log as it is written
    "smtp_dns_support_level": "disabled",
    "smtp_host_lookup": "native",
    "smtpd_peername_lookup": "no",
    "local_header_rewrite_clients": "",  # by default it takes whoever writes from its own address for its own user
    "smtp_tls_security_level": "none",
    "local_recipient_maps": "",
    "alias_maps": "",
    "alias_database": "",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
}
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup   unix n - n 60 1 pickup
cleanup  unix n - n - 0 cleanup
qmgr     unix n - n 300 1 qmgr
rewrite  unix - - n - - trivial-rewrite
bounce   unix - - n - 0 bounce
defer    unix - - n - 0 bounce
trace    unix - - n - 0 bounce
verify   unix - - n - 1 verify
smtp     unix - - n - - smtp
error    unix - - n - - error
retry    unix - - n - - error
discard  unix - - n - - discard
showq    unix n - n - - showq
anvil    unix - - n - 1 anvil
postlog  unix-dgram n - n - 1 postlogd
"""


def _folder() -> Path:
    """A folder for one; Postfix makes the queue's own folders when it starts."""
    folder = Path(tempfile.mkdtemp(prefix="mmsc-postfix-", dir="/tmp"))
    folder.chmod(0o755)  # its daemons run as the user postfix
    for name in ("conf", "queue", "data"):
        (folder / name).mkdir(mode=0o755)
    owner = pwd.getpwnam("postfix")
    os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
    return folder


def _write(folder: Path, port: int, settings: Mapping[str, str]) -> None:
    own = {"queue_directory": str(folder / "queue"), "data_directory": str(folder / "data")}
    lines = [f"{name} = {value}\n" for name, value in {**_MAIN, **own, **settings}.items()]
    main = folder / "conf" / "main.cf"
    main.write_text("".join(lines))
    (folder / "conf" / "master.cf").write_text(_MASTER.format(port=port))
    os.utime(main, (0, 0))  # Postfix waits two seconds for a new file to settle


@dataclass
class Postfix:
    """A running one. `lines` is its log as far as it was read."""

    folder: Path
    port: int
    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)

    async def until(self, pattern: str, seconds: float = 15.0) -> str:
        """The first line of the log, from its start, in which the pattern is found."""
        for line in self.lines:
            if re.search(pattern, line):
                return line
        try:
            async with asyncio.timeout(seconds):
                while line := await self._line():
                    if re.search(pattern, line):
                        return line
        except TimeoutError:
            pass
        raise AssertionError(f"Postfix never said {pattern!r}:\n" + "\n".join(self.lines))

    async def _line(self) -> str:
        assert self.process.stdout is not None
        line = (await self.process.stdout.readline()).decode(errors="replace")
        self.lines += [line.rstrip()] if line else []
        return line

    async def flush(self) -> None:
        """Try again now all that is queued."""
        await self._postqueue("-f")

    async def until_queued(self, *recipients: str) -> None:
        """Until nothing but mails to these waits for a later attempt."""
        wanted = [("deferred", one) for one in sorted(recipients)]
        async with asyncio.timeout(15):
            while await self._queue() != wanted:
                pass

    async def _queue(self) -> list[tuple[str, str]]:
        """(queue, recipient) of all mails."""
        mails = [json.loads(line) for line in (await self._postqueue("-j")).splitlines()]
        return sorted((mail["queue_name"], one["address"]) for mail in mails for one in mail["recipients"])

    async def _postqueue(self, option: str) -> bytes:
        command = [str(needs("postqueue")), "-c", str(self.folder / "conf"), option]
        run = await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, timeout=30)
        return run.stdout

    async def stop(self) -> None:
        """Stop the master, whose end is the end of all its daemons, and read the log to its end."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            pid = int((self.folder / "queue" / "pid" / "master.pid").read_text())
            os.kill(pid, signal.SIGTERM)
        async with asyncio.timeout(15):
            while await self._line():
                pass
            await self.process.wait()


@contextlib.asynccontextmanager
async def running(port: int, routes: Mapping[str, int], **settings: str) -> AsyncIterator[Postfix]:
    """A Postfix on 127.0.0.1:port that takes mail for these domains to these ports of 127.0.0.1."""
    program = needs("postfix")
    if os.geteuid() != 0:
        missing("root", "Postfix starts as root only: run this test as root or in a container")
    folder = _folder()
    try:
        transports = ", ".join(f"{{ {domain} = smtp:[127.0.0.1]:{to} }}" for domain, to in routes.items())
        relay = {"relay_domains": ", ".join(routes), "transport_maps": f"inline:{{ {transports} }}"}
        _write(folder, port, {**relay, **settings})
        process = await asyncio.create_subprocess_exec(
            *(program, "-c", folder / "conf", "start-fg"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        postfix = Postfix(folder, port, process)
        try:
            await postfix.until("daemon started")
            yield postfix
        finally:
            await postfix.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
