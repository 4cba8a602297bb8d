"""Modules are compiled once, not by every worker and every `mmsc` that a test starts: half the time of a short one.

Where the environment forbids bytecode beside the sources (as container images like to), it is kept in a folder of this
run: what was compiled from other sources with the same time and size is never taken for these."""

import atexit
import os
import shutil
import sys
import tempfile


def keep() -> None:
    """For this process, and all that it starts."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        folder = tempfile.mkdtemp(prefix="mmsc-bytecode-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = folder
        sys.dont_write_bytecode = False
