"""`mmsc run`: scenarios, from files, on a lab of their own or one that runs elsewhere."""

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mmsc.cli.group import examples
from mmsc.cli.progress import clear, telling

if TYPE_CHECKING:
    from mmsc.client import Client
    from mmsc.scenario.model import Scenario
    from mmsc.scenario.verdicts import CaseResult, RunResult

_COLOURS: Final = {"pass": "green", "fail": "red", "inconclusive": "yellow"}
_WRONG_FILE: Final = 2
_NO_LAB: Final = 3
_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "run",
    epilog=examples(
        "run",
        "run config/scenarios --junit report.xml --html report.html",
        "run mine.yaml --url http://127.0.0.1:8800 --filter report -v",
        "run --record 1234567890123 --url http://127.0.0.1:8800",
    ),
)
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--url", default="", help="A lab that runs: its console's address.  [default: one is started]")
@click.option("--token", default="", envvar="MMSC_TOKEN", help="The token of that console (MMSC_TOKEN).")
@click.option(
    "--filter", "words", multiple=True, help="Only scenarios with this in name, file or tags; -WORD: without."
)
@click.option("--keep-going/--stop", default=True, help="Go on after one that failed.  [default: go on]")
@click.option("--junit", type=_FILE, help="Write JUnit XML there.")
@click.option("--html", type=_FILE, help="Write a report with the ladders there: one file, no scripts.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option("-v", "--verbose", is_flag=True, help="Print every step.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of scenario files, and end.")
@click.option("--list", "only_list", is_flag=True, help="Print which scenarios there are, and end.")
@click.option("--record", default="", metavar="ID", help="Print a scenario made of this message of --url, and end.")
def command(files: tuple[Path, ...], **given: Any) -> None:
    """Carry scenarios out and say what came of them. FILES are YAML, or folders of them; without, the ready ones.

    Time is the server's: what would take an hour takes a moment. Every scenario begins with a clean lab: on --url, all
    messages there are forgotten.

    The exit status is 0 when all passed, 1 when one failed, 2 for a file that is no scenario, 3 when no lab could be
    used."""
    if given["schema"]:
        from mmsc.scenario.schema import schema

        click.echo(json.dumps(schema(), indent=2))
    elif given["record"]:
        click.echo(_recorded(given), nl=False)
    else:
        _run(_scenarios(files, given["words"]), given)


def _scenarios(files: Sequence[Path], words: Sequence[str]) -> "list[Scenario]":
    from mmsc.scenario.files import chosen, listed, read_all, ready
    from mmsc.scenario.model import ScenarioError

    try:
        found = read_all(listed(files or [ready()]))
    except ScenarioError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        raise SystemExit(_WRONG_FILE) from error
    scenarios = chosen(found, words)
    if not scenarios:
        raise click.UsageError(f"none of {len(found)} scenarios is meant by --filter {' '.join(words)}")
    return scenarios


def _run(scenarios: "Sequence[Scenario]", given: dict[str, Any]) -> None:
    if given["only_list"]:
        for one in scenarios:
            click.echo(f"{one.file}: {one.name}")
        return
    try:
        result = asyncio.run(_carried_out(scenarios, given))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    _written(result, given)
    raise SystemExit(result.exit_status)


async def _carried_out(scenarios: "Sequence[Scenario]", given: dict[str, Any]) -> "RunResult":
    """The scenarios in a thread, the line that tells how it goes in the loop."""
    stopped = threading.Event()
    state = {"at": 0, "name": ""}

    def words(seconds: int) -> str:
        return f"{state['at']} of {len(scenarios)}, {seconds} s: {state['name']}"

    async with telling(words):
        try:
            return await asyncio.to_thread(_in_thread, scenarios, given, state, stopped.is_set)
        finally:
            stopped.set()


def _in_thread(
    scenarios: "Sequence[Scenario]", given: dict[str, Any], state: dict[str, Any], stop: Callable[[], bool]
) -> "RunResult":
    from mmsc.scenario.running import run_all
    from mmsc.scenario.text import step_line

    def began(scenario: "Scenario") -> None:
        state.update(at=state["at"] + 1, name=scenario.name)

    def ended(case: "CaseResult") -> None:
        if not given["as_json"]:
            _tell(case)

    def step(one: Any) -> None:
        if given["verbose"] and not given["as_json"]:
            clear()
            click.echo(step_line(one))

    with ExitStack() as stack:
        return run_all(
            _lab(stack, given),
            scenarios,
            keep_going=given["keep_going"],
            lasts=bool(given["url"]),
            began=began,
            step=step,
            ended=ended,
            stop=stop,
        )


def _lab(stack: ExitStack, given: dict[str, Any]) -> "Client":
    """A client of the lab that is meant; one that is started for it ends with the stack."""
    from mmsc.client import Client, NoLab, own_lab

    try:
        meant = Client(given["url"], token=given["token"]) if given["url"] else own_lab()
        return stack.enter_context(meant)
    except (ValueError, NoLab) as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(_NO_LAB) from error


def _tell(case: "CaseResult") -> None:
    from mmsc.scenario.text import failure, line

    clear()
    click.secho(line(case), fg=_COLOURS[case.verdict])
    if case.verdict != "pass":
        click.echo("\n".join(f"    {one}" for one in failure(case).splitlines()))


def _written(result: "RunResult", given: dict[str, Any]) -> None:
    from mmsc.scenario.junit import junit
    from mmsc.scenario.page import page
    from mmsc.scenario.text import summary
    from mmsc.scenario.verdicts import plain

    if given["junit"]:
        given["junit"].write_bytes(junit(result))
    if given["html"]:
        given["html"].write_text(page(result), encoding="utf-8")
    if given["as_json"]:
        click.echo(json.dumps(plain(result), ensure_ascii=False, indent=2))
    else:
        click.echo(summary(result))


def _recorded(given: dict[str, Any]) -> str:
    from mmsc.client import ApiError
    from mmsc.scenario.record import record

    if not given["url"]:
        raise click.UsageError("--record takes a message of a server that runs: name that with --url")
    with ExitStack() as stack:
        client = _lab(stack, given)
        try:
            return record(client, [given["record"]])
        except (ApiError, OSError) as error:
            click.echo(f"Error: {error}", err=True)
            raise SystemExit(_NO_LAB) from error
