"""How pushes reach `mmsc handset listen`: a small SMSC of its own, a session at another one, UDP, or by hand."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mmsc.cli.handset_options import NoAnswer

if TYPE_CHECKING:
    from mmsc.lab.handset import Handset

MAXIMUM_PUSH_OCTETS: Final = 1024 * 1024


class Pushed(click.ParamType):  # type: ignore[type-arg] # generic in newer stubs only
    """A push given by hand: a file with its octets or with hex (and # comments), or hex itself."""

    name = "file|hex"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """The octets."""
        if isinstance(value, bytes):
            return value
        text = str(value)
        try:
            octets = self._from_file(Path(text)) if len(text) < 4096 and Path(text).is_file() else bytes.fromhex(text)
        except (OSError, ValueError):
            self.fail(f"{text[:80]!r} is neither a file nor hex", param, ctx)
        if not octets or len(octets) > MAXIMUM_PUSH_OCTETS:
            self.fail(f"{text[:80]!r}: 1 to {MAXIMUM_PUSH_OCTETS} octets", param, ctx)
        return octets

    def _from_file(self, path: Path) -> bytes:
        with path.open("rb") as opened:
            octets = opened.read(4 * MAXIMUM_PUSH_OCTETS)
        try:
            lines = octets.decode("ascii").splitlines()
            return bytes.fromhex(" ".join(line.partition("#")[0] for line in lines))
        except ValueError:  # no hex: the octets themselves
            return octets


@asynccontextmanager
async def arrivals(
    given: dict[str, Any], phone: "Handset", counted: Callable[[], None], ended: Callable[[], None]
) -> AsyncIterator[list[str]]:
    """Everything that the options ask for; gives where it is, in words. `counted` after each push and text is done
    with, `ended` when nothing will come any more. Raises ClickException."""

    async def on_push(octets: bytes) -> None:
        await phone.on_push(octets)
        counted()

    async def on_sms(text: str) -> None:
        await phone.on_sms(text)
        counted()

    places: list[str] = []
    async with AsyncExitStack() as stack:
        if given["smpp_listen"] is not None:
            places.append(await _own_smsc(given, phone.number, on_push, on_sms, stack))
        if given["udp"] is not None:
            places.append(await _udp(given["udp"], on_push, stack))
        if given["smpp"]:
            places.append(await _receiver(given, on_push, on_sms, ended, stack))
        yield places


async def _own_smsc(given: dict[str, Any], number: str, on_push: Any, on_sms: Any, stack: AsyncExitStack) -> str:
    from mmsc.lab.smsc import VirtualSmsc

    host, port = given["smpp_listen"]
    smsc = VirtualSmsc({given["system_id"]: given["password"]} if given["system_id"] else None)
    smsc.register(number, on_push, on_sms)
    try:
        await smsc.start(host, port)
    except OSError as error:
        raise _cannot_listen("--smpp-listen", host, port, error) from error
    stack.push_async_callback(smsc.stop)
    return f"SMSC on {_place(host)}:{smsc.port} for {number}"


async def _udp(where: tuple[str, int], on_push: Any, stack: AsyncExitStack) -> str:
    from mmsc.lab.wap_udp import UdpPushes

    host, port = where
    pushes = UdpPushes(on_push)
    try:
        await pushes.start(host, port)
    except OSError as error:
        raise _cannot_listen("--udp", host, port, error) from error
    stack.push_async_callback(pushes.stop)
    return f"WAP pushes on UDP {_place(host)}:{pushes.port}"


async def _receiver(
    given: dict[str, Any], on_push: Any, on_sms: Any, ended: Callable[[], None], stack: AsyncExitStack
) -> str:
    from mmsc.lab.smpp_receiver import SmppReceiver

    host, _, port = given["smpp"].rpartition(":")
    receiver = SmppReceiver(host.strip("[]"), int(port), given["system_id"], given["password"], on_push, on_sms)
    stack.push_async_callback(receiver.close)
    try:
        await receiver.bind()
    except OSError as error:
        refused = isinstance(error, ConnectionRefusedError)
        raise NoAnswer(f"{given['smpp']}: {'nobody takes connections there' if refused else error}") from error
    running = asyncio.create_task(_session(given["smpp"], receiver.run(), ended))
    stack.push_async_callback(_cancelled, running)
    return f"bound to {given['smpp']} as {given['system_id'] or 'nobody'}"


async def _session(place: str, run: Any, ended: Callable[[], None]) -> None:
    why = "the SMSC ended the session"
    try:
        await run
    except OSError as error:
        why = str(error)
    click.echo(f"{place}: {why}", err=True)
    ended()


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _cannot_listen(name: str, host: str, port: int, error: OSError) -> click.ClickException:
    advice = f"name another port with {name}, or 0 for any free one"
    why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
    return click.ClickException(f"cannot listen on {host} port {port} ({why}): {advice}")


def _place(host: str) -> str:
    return f"[{host}]" if ":" in host else host
