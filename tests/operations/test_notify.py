"""sd_notify(3): what systemd hears from a real process, over its datagram socket."""

import asyncio
import re
import signal
import socket
from pathlib import Path

import pytest

from mmsc.lab.smsc import VirtualSmsc
from mmsc.operations.notify import Supervisor
from tests.operations.conftest import FILE, serving


@pytest.mark.slow
async def test_systemd_hears_of_start_watchdog_reload_and_stop(tmp_path: Path, smsc: VirtualSmsc) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        loop = asyncio.get_running_loop()
        heard: list[str] = []

        async def hear(wanted: str) -> None:
            async with asyncio.timeout(20):
                while not heard or not re.match(wanted, heard[-1]):
                    heard.append((await loop.sock_recv(systemd, 1000)).decode())

        variables = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"}
        async with serving(tmp_path, FILE.replace("FIRST", str(smsc.port)), **variables) as server:
            await hear("READY=1$")
            assert "WATCHDOG=1" not in heard[:1]
            await hear("WATCHDOG=1$")
            server.process.send_signal(signal.SIGHUP)
            await hear(r"RELOADING=1\nMONOTONIC_USEC=\d+$")
            await hear("READY=1$")
        await hear("STOPPING=1$")
        assert server.process.returncode == 0


def test_nobody_who_listens_is_no_error(tmp_path: Path) -> None:
    for address in ("", "relative", str(tmp_path / "nobody"), "@mmsc-test-nobody"):
        Supervisor({"NOTIFY_SOCKET": address}).ready()


def test_the_watchdog_of_another_process_is_not_ours() -> None:
    assert Supervisor({"WATCHDOG_USEC": "1", "NOTIFY_SOCKET": "/x"}).has_watchdog
    assert not Supervisor({"WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "NOTIFY_SOCKET": "/x"}).has_watchdog
    assert not Supervisor({"NOTIFY_SOCKET": "/x"}).has_watchdog
