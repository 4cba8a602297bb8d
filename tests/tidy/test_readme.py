"""The README promises only what is there."""

import os
import re
import shlex
from collections.abc import Iterator

import click
import pytest

from mmsc.cli.group import main
from mmsc.settings import bare
from tests.tidy.project import TOP

README = (TOP / "README.md").read_text()


def _shell_lines() -> Iterator[str]:
    for block in re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL):
        yield from filter(None, block.splitlines())


def test_it_begins_with_the_two_commands() -> None:
    assert list(_shell_lines())[:2] == ["scripts/demo", "scripts/test"]
    assert README.index("scripts/demo") < 600


@pytest.mark.parametrize("line", list(_shell_lines()))
def test_every_line_of_shell_is_a_command_of_ours(line: str) -> None:
    program, *arguments = shlex.split(line)
    if program.startswith("scripts/"):
        assert os.access(TOP / program, os.X_OK), program
        return
    assert program == ".venv/bin/mmsc"
    context = click.Context(main)
    if arguments[0].startswith("-"):
        assert arguments == ["--help"]
        return
    command = main.get_command(context, arguments[0])
    assert command is not None
    command.make_parser(context).parse_args(arguments[1:])


def test_every_command_is_in_the_table() -> None:
    for name in main.list_commands(click.Context(main)):
        assert f"| `mmsc {name}" in README


def test_the_ports_are_those_of_a_bare_start() -> None:
    settings = bare()
    ports = {"MM1": settings.mm1.port, "web link": settings.weblink.port, "MM4": settings.mm4.port}
    ports |= {"MM7": settings.mm7.port, "SMPP": settings.builtin_smsc.port}
    for name, port in ports.items():
        assert re.search(rf"^\| {name} \|.*\| {port} \|$", README, re.MULTILINE), name
    for number in settings.subscriber:
        assert number in README


def test_every_script_and_folder_it_names_is_there() -> None:
    for name in re.findall(r"`((?:scripts|config|protocols|mmsc|tests|fixtures|\.ci)/[\w./-]*)`", README):
        assert (TOP / name).exists(), name
