"""The commands by name. Nothing of the server is imported before a command needs it: `mmsc --help` is instant."""

import importlib
import os
import sys
from typing import Any, Final

import click

# Name -> what the list of commands says. The module is mmsc.cli.NAME (hyphens as underscores), its `command` is called.
COMMANDS: Final = {
    "serve": "Run an MMSC until it is interrupted.",
    "demo": "Show everything at work: two MMSCs, an SMSC, a VASP and handsets, scene by scene.",
    "lab": "Run an MMSC to test against: free ports, everything to play with, gone at the end.",
    "run": "Carry scenarios out, and say what came of them.",
    "cluster": "Show nodes sharing one PostgreSQL, and one that is killed in the middle.",
    "submit": "Send an MM through MM7, as a VASP would.",
    "cancel": "Withdraw an MM through MM7 that was submitted.",
    "replace": "Change an MM through MM7 that was submitted.",
    "vasp": "Be a VASP: print what an MMSC sends, and answer as told.",
    "handset": "Be a handset: send and receive MMs through any MMSC, over MM1.",
    "load": "Put load on an MMSC through MM7, and tell how it bore that.",
    "decode": "Say what octets mean: an MMS PDU, a WAP push, an SMS TPDU, MM7, MM4 or SMPP.",
    "encode": "Make the octets of an MMS PDU or a WAP push that is written as JSON.",
    "push": "Push a notification to a handset: as TPDUs for modems and emulators, over UDP or SMPP.",
    "pcap": "Write captures of a running server as pcapng, of a message, of a filter, or live.",
    "fixture": "Make a golden case of captured octets: octets, meaning and origin.",
    "explain": "Say what a rule that a finding names asks for, and why it matters.",
    "phone-settings": "Say what to enter in a phone so that it uses this MMSC, also as a QR code.",
    "route": "Explain what becomes of a number.",
    "reports": "Say which recipients have a delivery report, which have none, and why.",
    "cdr": "Charging records: compare two parties' files, show them, write what is owed.",
    "store": "Look into a store: what it holds, whether it is sound, its MMs as JSON, a copy.",
    "check-config": "Say what is wrong or odd in a settings file.",
}


def examples(*lines: str) -> str:
    """The end of a command's help."""
    return "\n".join(("\b", "Examples:", *(f"  mmsc {line}" for line in lines)))


class LazyGroup(click.Group):
    """A group that imports a command's module when it is called, and only then."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"mmsc.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run a command, without colours where NO_COLOR is set (https://no-color.org). What the machine refuses (a full
        disk under the output, say) is told in a line."""
        if os.environ.get("NO_COLOR"):
            options.setdefault("color", False)
        try:
            return super().main(*arguments, **options)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            click.echo(f"Error: {where}{error.strerror or error}", err=True)
            sys.exit(1)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mmsc", message="mmsc %(version)s")
def main() -> None:
    """An MMSC that runs on a laptop: MM1, MM4, MM7 and SMPP, store and forward, trace and lab.

    Start with `mmsc demo`, or with `mmsc serve`, which needs no configuration.
    """
