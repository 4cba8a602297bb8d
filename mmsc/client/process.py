"""A lab as a child process, `python -P -m mmsc lab`: on free ports, gone with whoever started it."""

import json
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any, Final

from mmsc.client.rest import Client

_READY_SECONDS: Final = 60.0  # a busy machine takes its time; two seconds are usual
_END_SECONDS: Final = 10.0
_COMMAND: Final = ("-P", "-m", "mmsc", "lab", "--ports", "auto", "--with-parent")


class NoLab(Exception):
    """The lab did not come up; the text is what it said."""


@dataclass
class LabProcess:
    """A lab that runs. `told` is what it said when it was ready: `url`, `places`, `vasp`, `phones`."""

    told: Mapping[str, Any]
    _process: "subprocess.Popen[bytes]"
    _said: IO[bytes] = field(repr=False)

    def __enter__(self) -> "LabProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The console's address, below which REST is."""
        return str(self.told["url"])

    @property
    def pid(self) -> int:
        """The child."""
        return self._process.pid

    def said(self) -> str:
        """Its standard error so far."""
        self._said.seek(0)
        return self._said.read().decode("utf-8", "replace")

    def wait(self, timeout_seconds: float = _END_SECONDS) -> int:
        """Until it ends of itself; its exit status. Raises subprocess.TimeoutExpired."""
        return self._process.wait(timeout_seconds)

    def stop(self) -> None:
        """End it, and wait for that."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()


def start_lab(options: Sequence[str] = (), *, timeout_seconds: float = _READY_SECONDS) -> LabProcess:
    """Start one and wait until it is ready; `options` are further ones of `mmsc lab`. Raises NoLab."""
    said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `stop`)
    process = subprocess.Popen(
        [sys.executable, *_COMMAND, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
    )
    assert process.stdout is not None
    lines: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=lambda out=process.stdout: lines.put(out.readline()), daemon=True).start()
    lab = LabProcess({}, process, said)
    try:
        lab.told = json.loads(lines.get(timeout=timeout_seconds))
    except (queue.Empty, ValueError) as error:
        process.kill()
        process.wait()
        words = lab.said().strip() or f"nothing in {timeout_seconds:g} s"
        lab.stop()
        raise NoLab(f"the lab did not come up: {words}") from error
    return lab


@contextmanager
def own_lab(options: Sequence[str] = ()) -> Iterator[Client]:
    """A client of a lab that is there for it alone, and ends with it. Raises NoLab."""
    with start_lab(options) as lab, Client(lab.url) as client:
        yield client
