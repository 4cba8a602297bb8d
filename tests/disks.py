"""Disks that fail when a test says so: `store/disk_faults.c`, put in front of a child process."""

import subprocess
from pathlib import Path

from tests.tools import needs

FAULTS = ("full", "readonly", "write", "sync")


def build(folder: Path) -> Path:
    """The library; a skip where there is no compiler."""
    made = folder / "disk_faults.so"
    source = Path(__file__).parent / "store" / "disk_faults.c"
    subprocess.run([str(needs("cc")), "-shared", "-fPIC", "-O1", "-o", str(made), str(source)], check=True)
    return made


def environment(library: Path, prefix: Path, control: Path) -> dict[str, str]:
    """For a child whose files at `prefix` fail as the text in `control` says."""
    return {"LD_PRELOAD": str(library), "DISK_FAULT_PREFIX": str(prefix), "DISK_FAULT_CONTROL": str(control)}
