"""Modules are compiled once, not by every worker and every `mmsc` that a test starts: half the time of a short one.

Where the environment forbids bytecode beside the sources (as container images like to), it is kept in the cache folder
of the tests."""

import os
import sys
from pathlib import Path


def keep() -> None:
    """For this process, and all that it starts."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = os.environ.setdefault("PYTHONPYCACHEPREFIX", str(cache / "mmsc-test" / "bytecode"))
        sys.pycache_prefix = folder
        sys.dont_write_bytecode = False
