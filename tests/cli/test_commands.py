"""The other commands, as a person meets them."""

import importlib
import itertools
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner, Result

from mmsc import __version__
from mmsc.cli.group import COMMANDS, main
from mmsc.cli.loading import settings_of

MANUAL = str(Path(__file__).parents[2] / "config" / "mmsc.toml")
PEER = "[peer.other]\ndomain = 'other.example'\nhost = '127.0.0.1'\nprefixes = ['+1666']\n"
PEER += "rewrites = [{ prefix = '0', becomes = '+1' }]\nrewrites_out = [{ prefix = '+1', becomes = '0' }]\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def written(folder: Path, text: str) -> str:
    path = folder / "mmsc.toml"
    path.write_text(text)
    return str(path)


def test_no_command_has_colours_where_nobody_wants_them() -> None:
    arguments = ["handset", "listen", "--number", "+15550000001", "--push", "00"]
    told = [CliRunner().invoke(main, arguments, color=True, env={"NO_COLOR": one}).output for one in ("", "1")]
    assert ["\x1b[" in one for one in told] == [True, False]
    assert "failure" in told[1]


def test_the_manual_names_each_default_that_a_file_changes(tmp_path: Path) -> None:
    """A key that is left out has the value shown, but for these and the neighbours."""
    shown, left_out = (msgspec.to_builtins(settings_of(Path(one))) for one in (MANUAL, written(tmp_path, "")))
    neighbours = ("vasp", "smsc", "subscriber")
    different = {
        f"{section}.{key}": value
        for section, keys in left_out.items()
        if section not in neighbours
        for key, value in keys.items()
        if value != shown[section][key]
    }
    off = ("mm3", "console", "builtin_smsc", "magic")
    assert different == {"numbers.own_prefixes": ("+",), **{f"{one}.enabled": False for one in off}}
    head = Path(MANUAL).read_text().partition("\n\n")[0]
    assert 'mm3, console, builtin_smsc and magic are not enabled,\n# and numbers.own_prefixes is ["+"]' in head


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_in_the_list_is_there_and_explains_itself(name: str) -> None:
    module = importlib.import_module(f"mmsc.cli.{name.replace('-', '_')}")
    assert isinstance(module.command, click.Command)
    told = run(name, "--help")
    assert told.exit_code == 0
    assert len(told.output.split()) > 10


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_examples_that_parse(name: str) -> None:
    told = run(name, "--help").output.partition("Examples:")[2].split()
    text = " ".join(told)
    lines = [shlex.split(one) for one in re.split(r"(?:^| )mmsc ", text) if one]
    assert lines
    for command, *arguments in lines:
        assert command == name
        given = list(itertools.takewhile(lambda one: one not in ("<", "|"), arguments))
        parsed = main.get_command(click.Context(main), name)
        assert parsed is not None
        _, values, _ = parsed.make_parser(click.Context(parsed)).parse_args(given)
        assert values is not None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("arguments", [("decode", __file__), ("route", "+15550000003"), ("--help",)])
def test_a_full_disk_under_the_output_is_told_in_a_line(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mmsc", *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode != 0
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_lists_all_commands_and_an_unknown_one_is_told() -> None:
    assert all(name in run("--help").output for name in COMMANDS)
    assert "No such command 'sevre'" in run("sevre").output
    assert run("--version").output == f"mmsc {__version__}\n"


def test_a_good_file_is_good() -> None:
    told = run("check-config", MANUAL)
    assert told.exit_code == 0
    assert told.output == f"{MANUAL}: good\n"


def test_a_wrong_file_is_told_key_by_key(tmp_path: Path) -> None:
    told = run("check-config", written(tmp_path, "[mm7]\nprot = 1\nport = 'x'\n"))
    assert told.exit_code == 1
    assert "mm7.prot is no key; the nearest is mm7.port" in told.output
    assert "mm7.port = 'x': Expected `int`" in told.output


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("mysql://u:hunter22@h/x", "takes postgresql://user@host/database, its address begins with mysql://"),
        ("hunter22", "takes postgresql://user@host/database"),
        ("postgresql://u:hunter22@h:fast/x", "has a port that is none"),
        ("postgresql://u:hunter22@h:65536/x", "has a port that is none"),
        ("postgresql://u:hunter22@one,/x", "has a host that is none"),
        ("postgresql://u:hunter22@[::1/x", "is no address of the form"),
        ("postgresql://u:hunter22@a:b:c/x", "has a host that is none"),
        ("postgresql://u:hunt@er22@h/x", "@ is written %40"),
        ("postgresql://u:12/hunter22@h/x", "/ %2F"),
        ("postgresql://u@h/x?hunter22", "behind ? stand name=value"),
        ("postgresql://u:hunter22@h/x?sslmode=on", "sslmode is one of disable, allow"),
        ("postgresql://u:hunter22@h/x?target_session_attrs=rw", "target_session_attrs is one of any"),
    ],
)
def test_a_database_address_that_can_never_work_is_refused_by_its_key(address: str, why: str, tmp_path: Path) -> None:
    told = run("check-config", written(tmp_path, f"[store]\npostgres = '{address}'\n"))
    assert told.exit_code == 1
    assert "error: " in told.output
    assert "store.postgres" in told.output
    assert why in told.output
    assert "hunter22" not in told.output


@pytest.mark.parametrize(
    "address",
    [
        "postgres://h",
        "postgresql://mmsc:a%40b%2Fc@db1.example,db2.example:5433/mmsc?target_session_attrs=any&sslmode=verify-full",
        "postgresql://u@[::1]:5432/x",
        "postgresql:///x?host=/run/postgresql&port=6000",
        "postgresql://%2Frun%2Fpostgresql/x?user=a@b",
    ],
)
def test_a_database_address_that_may_work_is_good(address: str, tmp_path: Path) -> None:
    told = run("check-config", written(tmp_path, f"[store]\npostgres = '{address}'\n"))
    assert told.exit_code == 0, told.output


def test_advice_is_given_for_what_is_odd(tmp_path: Path) -> None:
    told = run("check-config", written(tmp_path, "[mm7]\nhost = '0.0.0.0'\n"))
    assert told.exit_code == 0
    assert "remark: mm7.host: 0.0.0.0 is reachable from outside" in told.output


def test_a_change_is_told_apart(tmp_path: Path) -> None:
    told = run("check-config", written(tmp_path, "[mm7]\nport = 1\n[limits]\nmaximum_parts = 5\n"), "--running", MANUAL)
    assert "restart: mm7.port" in told.output
    assert "live: limits.maximum_parts" in told.output


@pytest.mark.parametrize(
    ("number", "neighbour", "last", "status"),
    [
        ("5550000001", "vasp:demo", "to a handset, notified over smsc:builtin (listed subscriber)", 0),
        ("+15559999999", "demo", "to a handset, notified over smsc:builtin (own prefix +1555)", 0),
        ("7255", "", "to vasp:demo (short code of VASP demo)", 0),
        ("+16665550000", "", "nowhere (no prefix matches +16665550000)", 1),
        ("?", "", "not an address: neither a number, an e-mail address nor a short code", 1),
    ],
)
def test_a_number_is_explained_to_its_end(number: str, neighbour: str, last: str, status: int) -> None:
    told = run("route", number, "--from", neighbour)
    assert told.output.splitlines()[-1] == last
    assert told.exit_code == status


def test_a_peers_prefix_and_rewrites_are_explained(tmp_path: Path) -> None:
    config = written(tmp_path, PEER)
    told = run("route", "06665550000", "--from", "other", "--config", config)
    assert "the neighbour's rewrite '0' -> '+1' gives +16665550000" in told.output
    assert told.output.splitlines()[-1] == "to another MMSC, peer:other (prefix +1666 of peer other)"
    assert "told to other as 06665550000" in told.output


def test_an_unknown_neighbour_is_told() -> None:
    told = run("route", "7255", "--from", "nobody")
    assert told.exit_code == 2
    assert "'nobody' names 0 neighbours; known: vasp:demo" in told.output


def test_wrong_settings_stop_a_command_with_their_names(tmp_path: Path) -> None:
    told = run("route", "7255", "--config", written(tmp_path, "[nose]\n"))
    assert told.exit_code == 1
    assert "nose is no key; the nearest is node" in told.output
