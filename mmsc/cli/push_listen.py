"""An SMSC that hands each push on to a modem or an emulator: what an MMSC submits, printed as TPDUs."""

from collections.abc import Callable
from typing import Final

import click

from mmsc.cli.push_out import Account
from mmsc.lab.smsc import VirtualSmsc

_FULL_NUMBER: Final = 7  # digits: shorter ones are short codes

Ready = Callable[[int], None]  # told the port that it listens at
Print = Callable[[bytes, str], list[str]]  # a push and its handset -> lines


async def listen(host: str, port: int, account: Account, printed: Print, most: int, ready: Ready) -> None:
    """Print every push that is submitted, as it comes; return after `most` of them (0: never). Raises OSError."""
    smsc = VirtualSmsc({account.system_id: account.password})
    await smsc.start(host, port)
    try:
        ready(smsc.port)
        seen = 0
        while not most or seen < most:
            message = await smsc.expect()
            if message.push is None:
                click.echo(f"# an SMS to {message.number}, which is no push", err=True)
                continue
            number = f"+{message.number}" if len(message.number) >= _FULL_NUMBER else message.number
            click.echo(f"# to {number}")
            for line in printed(message.push, number):
                click.echo(line)
            seen += 1
    finally:
        await smsc.stop()
