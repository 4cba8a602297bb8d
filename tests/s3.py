"""An S3 server for tests: moto's, a child process on a free loopback port, ended by its pid. One a process."""

import atexit
import contextlib
import itertools
import socket
import subprocess
import sys
import time
import urllib.request
from functools import lru_cache

from mmsc.store.objects import S3Options

_START_SECONDS = 30.0
_buckets = itertools.count()


@lru_cache(maxsize=1)
def server() -> str:
    """The endpoint of a running server, started when first asked for."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop() -> None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)

    atexit.register(stop)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=5):
            return f"http://127.0.0.1:{port}"
        time.sleep(0.05)
    raise RuntimeError(f"moto's server ended with status {process.poll()}")


def bucket() -> S3Options:
    """A new bucket, and how to get at it."""
    name = f"bodies-{next(_buckets)}"
    urllib.request.urlopen(urllib.request.Request(f"{server()}/{name}", method="PUT"), timeout=30).close()
    return S3Options(
        url=f"s3://{name}/lab",
        endpoint=server(),
        access_key_id="test",
        secret_access_key="test",
        timeout_seconds=5.0,
        attempts=1,
    )
