"""Programs that are not ours and that tests drive. A missing one skips for a user and fails where `CI` is set."""

import os
import shutil
from pathlib import Path
from typing import Final, NoReturn

import pytest

# For what a process that was started here does in a second or two, also on a machine that is busy otherwise.
PATIENCE_SECONDS: Final = 90.0
# For what ends on a signal: `node.stop_seconds` is 10, and it may not wait for one thing after another.
STOP_PATIENCE_SECONDS: Final = 30.0

# Debian keeps these off a user's PATH.
_EXTRA_FOLDERS = ("/usr/sbin", "/sbin", "/usr/local/sbin")

_PACKAGES = {
    "tshark": "tshark",
    "postgres": "postgresql",
    "postfix": "postfix",
    "chromium": "chromium",
    "cc": "gcc libc6-dev",
    "node": "nodejs",
    "npm": "npm",
    "ffmpeg": "ffmpeg",
}


def missing(what: str, how: str) -> NoReturn:
    """The test cannot run here: a skip, or a failure in CI. `how` tells the way to get what is missing."""
    text = f"{what} is missing ({how})"
    if os.environ.get("CI"):
        pytest.fail(f"{text}; CI must have it", pytrace=False)
    pytest.skip(text)


def needs(program: str) -> Path:
    """The path of a program, found on PATH or where Debian hides daemons."""
    folders = [os.environ.get("PATH", os.defpath), *_EXTRA_FOLDERS]
    if program == "postgres":
        folders += sorted((str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    found = shutil.which(program, path=os.pathsep.join(folders))
    if found is None:
        missing(program, f"Debian: apt-get install {_PACKAGES.get(program, program)}")
    return Path(found)


def npm_folder() -> Path:
    """Where `.ci/run` (or a user, by hand) installs npm packages for tests; the environment may name another."""
    given = os.environ.get("MMSC_TEST_NPM")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(given) if given else cache / "mmsc-test" / "npm"


def needs_npm(package: str) -> Path:
    """The folder to run node in so that it finds an npm package; node itself is needed, too."""
    needs("node")
    folder = npm_folder()
    if not (folder / "node_modules" / package / "package.json").is_file():
        missing(f"npm package {package}", f"npm install --prefix {folder} {package}")
    return folder
