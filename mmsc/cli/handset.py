"""`mmsc handset`: a handset at the shell, for any MMSC: it listens, sends, fetches, forwards, and keeps an MMBox."""

import importlib
from typing import Final

import click

from mmsc.cli.group import examples

_LISTEN: Final = "listen"
_COMMANDS: Final = {  # name -> (module beside this one, the list's words)
    _LISTEN: ("handset_listen", "Take what is pushed, and do what it is told about it."),
    "send": ("handset_send", "Send an MM."),
    "fetch": ("handset_fetch", "Fetch an MM by its Content-Location."),
    "forward": ("handset_forward", "Send an MM on that was not fetched."),
    "read": ("handset_read", "Say that an MM was read, or deleted unread."),
    "delete": ("handset_delete", "Let MMs be forgotten that wait."),
    "mbox": ("handset_mbox", "The MMBox: view, store, upload, delete."),
}


class HandsetGroup(click.Group):
    """A group that listens where no command is named, and imports a command when it is called."""

    ignore_unknown_options = True  # they are those of `listen`

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"mmsc.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in _COMMANDS.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Without a command it is `listen`."""
        if args and args[0].startswith("-") and args[0] not in ctx.help_option_names:
            args = [_LISTEN, *args]
        return super().parse_args(ctx, args)


@click.group(
    "handset",
    cls=HandsetGroup,
    epilog=examples(
        "handset --number +15550100123 --smpp-listen 2775 --save inbox",
        "handset listen --mmsc http://mmsc.example/ --number +15550100123 --udp 2948 --behaviour 'deferred=30+read'",
        "handset send --number +15550100123 --to +15550100456 --text Hello photo.jpg --delivery-report",
        "handset fetch --number +15550100123 http://mmsc.example/m/7f3a01 --save inbox",
        "handset forward --number +15550100123 http://mmsc.example/m/7f3a01 --to +15550100789",
        "handset mbox view --number +15550100123 --state New",
    ),
)
def command() -> None:
    """Be a handset of any MMSC, over MM1 (OMA-TS-MMS_ENC, OMA-TS-MMS_CTR). Without a command it listens.

    It says who it is by a header, as an operator's gateway does (--identity-header); the MMSC must believe it from
    here. The exit status is 0 when the MMSC took what was asked, 1 when it refused, 2 for wrong usage, 3 for no
    answer."""
