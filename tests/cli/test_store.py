"""`mmsc store` as a person meets it: beside a running server, on what is no store, and interrupted."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mmsc.cli.group import main
from mmsc.store import reading
from mmsc.store.sqlite import SqliteStore
from tests.cli.test_commands import written

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP / "scripts"))  # the filler belongs to scripts

from fill_store import fill  # noqa: E402

MMS, BODIES = 300, 20


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of ended MMs."""
    path = tmp_path_factory.mktemp("filled") / "mmsc.db"
    fill(path, MMS, BODIES, body_octets=1000)
    return path


@pytest.fixture
def config(filled: Path, tmp_path: Path) -> str:
    """The settings of that store."""
    return written(tmp_path, f"[store]\npath = '{filled}'\n")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["store", *arguments])


@pytest.mark.parametrize("name", ["stats", "verify", "export", "backup"])
def test_each_explains_itself_with_examples(name: str) -> None:
    told = run(name, "--help")
    assert told.exit_code == 0
    assert f"mmsc store {name}" in told.output.partition("Examples:")[2]


def test_stats_as_a_page_and_as_json(config: str) -> None:
    page = run("stats", "--config", config)
    assert page.exit_code == 0
    assert page.output.split("MMs")[1].split()[:4] == ["open", "0", "ended", str(MMS)]
    found = json.loads(run("stats", "--json", "--config", config).output)
    assert found["rows"] | {"event": 7 * MMS, "content": BODIES, "task": 0} == found["rows"]
    assert found["recipients"] == {"retrieved": MMS}


def test_all_of_it_works_beside_the_server_that_holds_the_file(config: str, filled: Path, tmp_path: Path) -> None:
    commands = (["stats"], ["verify"], ["export", "--out", str(tmp_path / "x")], ["backup", str(tmp_path / "c.db")])

    async def beside() -> list[Result]:
        server = SqliteStore(str(filled))
        await server.open()
        try:
            return [await asyncio.to_thread(run, *command, "--config", config) for command in commands]
        finally:
            await server.close()

    for done in asyncio.run(beside()):
        assert (done.exit_code, done.exception) == (0, None)
    assert len((tmp_path / "x").read_text().splitlines()) == MMS + 1


def test_a_finding_is_a_line_and_an_exit_status(filled: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert run("backup", str(copy), "--config", written(tmp_path, f"[store]\npath = '{filled}'\n")).exit_code == 0
    config = written(tmp_path, f"[store]\npath = '{copy}'\n")
    assert run("verify", "--config", config).output == "sound\n"
    connection = sqlite3.connect(copy)
    connection.execute("UPDATE recipient SET state = 'notified' WHERE id = (SELECT max(id) FROM recipient)")
    connection.commit()
    connection.close()
    told = run("verify", "--config", config)
    assert told.exit_code == 1
    assert "nothing will ever end it" in told.output
    assert "1 findings" in told.output


def test_a_damaged_file_is_told(filled: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    octets = bytearray(filled.read_bytes())
    octets[len(octets) // 2 : len(octets) // 2 + 40_000] = b"\xa5" * 40_000
    copy.write_bytes(octets)
    told = run("verify", "--config", written(tmp_path, f"[store]\npath = '{copy}'\n"))
    assert told.exit_code == 1
    assert "Traceback" not in told.output
    assert "malformed" in told.output or "page" in told.output.lower()


def test_a_server_starts_on_a_backup_and_it_overwrites_nothing(config: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    told = run("backup", str(copy), "--config", config)
    assert (told.exit_code, "checked" in told.output) == (0, True)
    again = run("backup", str(copy), "--config", config)
    assert (again.exit_code, "overwrites nothing" in again.output) == (1, True)

    async def started() -> list[object]:
        store = SqliteStore(str(copy))
        await store.open()
        found = await store.fetch("SELECT count(*), (SELECT auto_vacuum FROM pragma_auto_vacuum) FROM mm")
        await store.close()
        return list(found[0])

    assert asyncio.run(started()) == [MMS, 2], "and its pages still go back to the disk"


def test_a_look_that_lets_the_log_grow_too_long_is_given_up(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LONGEST_LOG", -1)
    monkeypatch.setattr(reading, "_LOOKED_AT", 10)
    for command in (["verify"], ["backup", str(tmp_path / "copy.db")]):
        told = run(*command, "--config", config)
        assert told.exit_code == 1
        assert "the server's log grew beyond" in told.output
    assert not (tmp_path / "copy.db").exists()


def test_an_export_chooses_and_names_what_is_wrong(config: str, tmp_path: Path) -> None:
    lines = run("export", "--config", config).output.splitlines()
    first = json.loads(lines[1])["mm"]
    assert len(run("export", "--mm", first["id"], "--config", config).output.splitlines()) == 2
    assert len(run("export", "--since", first["submitted_at"], "--config", config).output.splitlines()) == MMS + 1
    assert len(run("export", "--state", "expired", "--config", config).output.splitlines()) == 1
    folder = tmp_path / "bodies"
    assert run("export", "--bodies", str(folder), "--out", str(tmp_path / "all"), "--config", config).exit_code == 0
    assert {file.stat().st_size for file in folder.iterdir()} == {1000}
    assert len(list(folder.iterdir())) == BODIES
    for arguments, words in {
        ("--mm", "5"): "no MM 5",
        ("--mm", "U"): "is no id",
        ("--since", "soon"): "is no time",
        ("--state", "gone"): "is none of",
        ("--base64", "--bodies", "x"): "exclude each other",
    }.items():
        told = run("export", *arguments, "--config", config)
        assert told.exit_code != 0
        assert words in told.output


def test_what_is_no_store_is_told_in_a_line(tmp_path: Path) -> None:
    config = written(tmp_path, f"[store]\npath = '{tmp_path / 'none.db'}'\n")
    for command in (["stats"], ["verify"], ["export"], ["backup", str(tmp_path / "copy.db")]):
        told = run(*command, "--config", config)
        assert told.exit_code == 1
        assert "there is no store" in told.output
    assert not (tmp_path / "copy.db").exists()


def _torn(filled: Path, path: Path) -> None:
    path.write_bytes(filled.read_bytes()[:-40_960])


def _empty_beside_a_log(_: Path, path: Path) -> None:
    path.touch()
    Path(f"{path}-wal").write_bytes(bytes(100))


WORSE: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "empty": (lambda _, path: path.touch(), "is empty: there is no store; `mmsc serve` makes it"),
    "empty beside a log": (_empty_beside_a_log, "is missing or empty, and its log"),
    "torn": (_torn, "is torn: 10 pages are missing at its end; it was left as it is: put a whole file there"),
    "a stump": (
        lambda filled, path: path.write_bytes(filled.read_bytes()[:300]) and None,
        "is torn: it has 300 octets",
    ),
    "a folder": (lambda _, path: path.mkdir(), "is a folder; name a file in it"),
    "a text": (lambda _, path: path.write_text("no database " * 100), "is no SQLite database; it was left"),
}


@pytest.mark.parametrize("what", WORSE)
def test_what_is_wrong_with_a_file_is_told_as_the_server_tells_it(filled: Path, tmp_path: Path, what: str) -> None:
    make, words = WORSE[what]
    path = tmp_path / "mmsc.db"
    make(filled, path)
    config = written(tmp_path, f"[store]\npath = '{path}'\n")
    for command in (["stats"], ["verify"], ["export"], ["backup", str(tmp_path / "copy.db")]):
        told = run(*command, "--config", config)
        assert (told.exit_code, words in told.output) == (1, True), told.output
    assert not (tmp_path / "copy.db").exists()


def test_a_file_may_be_named_whatever_the_settings_say(filled: Path, tmp_path: Path) -> None:
    nobody = written(tmp_path, f"[store]\npath = '{tmp_path / 'none.db'}'\n")
    for command in (["stats"], ["verify"], ["export"], ["backup", str(tmp_path / "copy.db")]):
        told = run(*command, "--store", str(filled), "--config", nobody)
        assert told.exit_code == 0, told.output
    assert run("verify", "--store", str(tmp_path / "copy.db")).output == "sound\n"
    told = run("verify", "--store", str(tmp_path))
    assert (told.exit_code, "is a folder; name a file in it" in told.output) == (1, True)


def test_an_interrupted_export_leaves_nothing(config: str, tmp_path: Path) -> None:
    """The reader of the pipe is slow, so the export is under way when it is interrupted."""
    command = [sys.executable, "-m", "mmsc", "store", "export", "--base64", "--config", config, "--out"]
    out = tmp_path / "out"
    part = tmp_path / "out.part"
    part.parent.mkdir(exist_ok=True)
    subprocess.run(["mkfifo", str(part)], check=True)
    with subprocess.Popen([*command, str(out)], stderr=subprocess.PIPE, text=True) as process:
        with part.open("rb") as pipe:
            assert pipe.read(1) == b"{"
            process.send_signal(signal.SIGINT)
            pipe.read()
        _, told = process.communicate(timeout=20)
    assert (process.returncode, "interrupted" in told, "Traceback" in told) == (130, True, False)
    assert list(tmp_path.glob("out*")) == []
