"""The scripts' environment on machines that lack something: said plainly, and nothing done twice."""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
TOOLS = ("sh", "cat", "cksum", "rm", "dirname", "readlink", "grep", "touch", "mkdir", "cp", "chmod")

# A Python that plays its part: its version, whether it has venv, and what it was asked.
PYTHON = """#!/bin/sh
echo "python $*" >>"{log}"
case "$*" in
*version_info*) exit {old} ;;
*ensurepip*) exit {no_venv} ;;
*"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
-V) echo "Python 3.9.2" ;;
esac
"""


class Clone:
    """A fresh clone on a machine with next to nothing."""

    def __init__(self, folder: Path, *, old: bool = False, venv: bool = True, python: bool = True) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.tools = folder / "bin"
        self.tools.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found is not None
            (self.tools / tool).symlink_to(found)
        if python:
            text = PYTHON.format(log=self.log, old=int(old), no_venv=int(not venv))
            (self.tools / "python3").write_text(text)
            (self.tools / "python3").chmod(0o755)
        (folder / "scripts").mkdir()
        for name in ("environment.sh", "test", "lock-run.txt", "lock-test.txt"):
            shutil.copy(TOP / "scripts" / name, folder / "scripts" / name)
        shutil.copy(TOP / "pyproject.toml", folder)

    def add(self, name: str, version: str) -> None:
        """Another Python on PATH."""
        text = (
            PYTHON.format(log=self.log, old=0, no_venv=0).replace("3.9.2", version).replace('"python $', f'"{name} $')
        )
        (self.tools / name).write_text(text)
        (self.tools / name).chmod(0o755)

    def test(self, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.folder / "scripts" / "test"), "-q"],
            env={"PATH": str(self.tools), "HOME": str(self.folder), **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def asked(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


def test_no_python_is_said_plainly(tmp_path: Path) -> None:
    told = Clone(tmp_path, python=False).test()
    assert told.returncode == 1
    assert told.stderr.splitlines()[-1] == "Python 3.11 or later is needed, and not on PATH."


def test_an_old_python_is_named(tmp_path: Path) -> None:
    told = Clone(tmp_path, old=True).test()
    assert told.returncode == 1
    assert "Python 3.11 or later is needed, and not on PATH (python3 is Python 3.9.2)." in told.stderr


def test_a_missing_venv_module_is_said_with_the_remedy(tmp_path: Path) -> None:
    told = Clone(tmp_path, venv=False).test()
    assert told.returncode == 1
    assert "has no venv module. On Debian and Ubuntu: apt-get install python3-venv." in told.stderr


def test_the_locked_packages_are_installed_by_hash_and_only_once(tmp_path: Path) -> None:
    clone = Clone(tmp_path)
    assert clone.test().returncode == 0
    asked = clone.asked()
    assert any("--require-hashes -r scripts/lock-test.txt" in line for line in asked)
    assert any("--no-deps --no-build-isolation -e ." in line for line in asked)
    assert asked[-1] == "python -m pytest -n auto --dist worksteal -q"
    clone.log.unlink()
    assert clone.test().returncode == 0
    assert clone.asked() == ["python -m pytest -n auto --dist worksteal -q"]


def test_another_python_can_be_asked_for_and_stays(tmp_path: Path) -> None:
    clone = Clone(tmp_path)
    clone.add("python3.13", "3.13.1")
    with_a_space = tmp_path / "my python" / "python3"
    with_a_space.parent.mkdir()
    with_a_space.symlink_to(clone.tools / "python3.13")
    assert clone.test().returncode == 0
    assert clone.test(PYTHON="python3.13").returncode == 0
    assert clone.asked()[-1] == "python3.13 -m pytest -n auto --dist worksteal -q"
    for variables in ({"PYTHON": "python3.13"}, {}):
        clone.log.unlink()
        assert clone.test(**variables).returncode == 0
        assert [line for line in clone.asked() if "install" in line or "venv" in line] == []
        assert clone.asked()[-1] == "python3.13 -m pytest -n auto --dist worksteal -q"
    assert clone.test(PYTHON=str(with_a_space)).returncode == 0
    told = clone.test(PYTHON="python3.99")
    assert told.returncode == 1
    assert told.stderr.splitlines()[-1] == "PYTHON=python3.99 is no Python 3.11 or later."


def test_a_link_to_a_script_and_a_folder_with_a_space_are_as_good(tmp_path: Path) -> None:
    home = tmp_path / "my clone"
    home.mkdir()
    clone = Clone(home)
    link = tmp_path / "link"
    link.symlink_to(home / "scripts" / "test")
    told = subprocess.run(
        [str(link)],
        env={"PATH": str(clone.tools), "HOME": str(home)},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert clone.asked()[-1] == "python -m pytest -n auto --dist worksteal"


def test_a_changed_lock_is_installed_again(tmp_path: Path) -> None:
    clone = Clone(tmp_path)
    clone.test()
    clone.log.unlink()
    with (tmp_path / "scripts" / "lock-test.txt").open("a") as lock:
        lock.write("# changed\n")
    assert clone.test().returncode == 0
    assert any("--require-hashes" in line for line in clone.asked())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def two(tmp_path: Path) -> tuple[Clone, Clone]:
    """A checkout with its environment, and a fresh one."""
    clones = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        clones.append(Clone(tmp_path / name))
    assert clones[0].test().returncode == 0
    return clones[0], clones[1]


@pytest.mark.parametrize("is_written_down", [True, False])
@pytest.mark.parametrize("changed", [True, False])
def test_a_link_to_anothers_environment_is_replaced_and_that_one_left_alone(
    two: tuple[Clone, Clone], changed: bool, is_written_down: bool
) -> None:
    first, second = two
    if not is_written_down:  # made by an earlier version
        (first.folder / ".venv" / "checkout").unlink()
    (second.folder / ".venv").symlink_to(first.folder / ".venv")
    if changed:
        with (second.folder / "scripts" / "lock-test.txt").open("a") as lock:
            lock.write("# changed\n")
    before = contents(first.folder)
    told = second.test()
    assert told.returncode == 0, told.stderr
    assert f".venv is a link to that of {first.folder}, which is left as it is" in told.stderr
    assert contents(first.folder) == before
    assert not (second.folder / ".venv").is_symlink()
    assert any("--no-deps --no-build-isolation -e ." in line for line in second.asked())
    second.log.unlink()
    assert second.test().stderr == ""
    assert second.asked() == ["python -m pytest -n auto --dist worksteal -q"]


def test_an_environment_that_was_copied_with_its_checkout_is_made_anew(two: tuple[Clone, Clone]) -> None:
    first, second = two
    shutil.copytree(first.folder / ".venv", second.folder / ".venv")
    told = second.test()
    assert f".venv was made for {first.folder}: it is made anew" in told.stderr
    assert (second.folder / ".venv" / "checkout").read_text() == f"{second.folder}\n"


def test_a_link_to_a_place_outside_of_any_checkout_is_ours(tmp_path: Path) -> None:
    """Somebody keeps environments elsewhere."""
    elsewhere, home = tmp_path / "environments" / "mmsc", tmp_path / "clone"
    elsewhere.mkdir(parents=True)
    home.mkdir()
    clone = Clone(home)
    (home / ".venv").symlink_to(elsewhere)
    assert "is a link to" not in clone.test().stderr
    assert (home / ".venv").is_symlink()
    assert (elsewhere / "checkout").read_text() == f"{home}\n"


def test_a_link_to_nothing_goes(tmp_path: Path) -> None:
    clone = Clone(tmp_path)
    (tmp_path / ".venv").symlink_to(tmp_path / "gone")
    told = clone.test()
    assert told.returncode == 0, told.stderr
    assert ".venv is a link to nothing" in told.stderr
    assert not (tmp_path / ".venv").is_symlink()


@pytest.mark.parametrize("name", ["demo", "test", "check", "bench", "lock", "environment.sh"])
def test_every_script_is_shell_that_parses(name: str) -> None:
    path = TOP / "scripts" / name
    assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0
    assert os.access(path, os.X_OK) == (not name.endswith(".sh"))


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())
    wanted = {"run": list(project["project"]["dependencies"])}
    wanted["test"] = wanted["run"] + project["dependency-groups"]["test"] + project["build-system"]["requires"]
    wanted["run"] += project["build-system"]["requires"]
    for lock, requirements in wanted.items():
        text = (TOP / "scripts" / f"lock-{lock}.txt").read_text().lower()
        for requirement in requirements:
            name = requirement.split(">")[0].split("=")[0].split("[")[0].strip().lower()
            assert f"\n{name}==" in text, f"{name} is not in scripts/lock-{lock}.txt: run scripts/lock"
