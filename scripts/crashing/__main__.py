"""The command line of `scripts/crash`."""

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Callable
from typing import Final

from crashing.run import ALL, NODE, POSTGRES, SERVER, Options, Run, ServerFailed

_TARGETS: Final = (SERVER, NODE, POSTGRES, ALL)
_MINUTE_SECONDS: Final = 60
_EPILOG: Final = """examples:
  scripts/crash
  scripts/crash --kills 25 --seed 7
  scripts/crash --target node --store postgres --kills 200
  scripts/crash --target all --store postgres --keep /tmp/crash

The seed decides traffic, victims and moments; with real processes the instant that a kill hits differs from run to run.
A run in which hardly anything was accepted proves nothing, and counts as a failure.
The exit status is 0 when nothing was lost and every promise was kept, 1 when not, 2 when the run itself failed.
"""


def parse(arguments: list[str]) -> Options:
    """Read the command line; argparse ends the program when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="scripts/crash",
        description="Kills (SIGKILL) the MMSC under load at random moments, starts it again, and checks that no"
        " accepted MM was lost, that each recipient has one final state, and that repeats carry the same identifiers.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kills", type=int, default=1000, help="how many processes are killed (1000)")
    parser.add_argument("--seed", type=int, default=None, help="the plan to play; drawn and printed when not given")
    parser.add_argument("--target", choices=_TARGETS, default=SERVER, help="who is killed (server)")
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite", help="the store (sqlite)")
    parser.add_argument("--keep", default="", metavar="FOLDER", help="leave store and logs in this folder")
    given = parser.parse_args(arguments)
    if given.target != SERVER and given.store != "postgres":
        parser.error(f"--target {given.target} needs --store postgres")
    if given.kills < 1:
        parser.error("--kills is at least 1")
    seed = random.SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    return Options(kills=given.kills, seed=seed, target=given.target, store=given.store, keep=given.keep)


def _progress() -> Callable[[str], None]:
    """A line that is written anew on a terminal; elsewhere one line a minute, so that a log tells how far it is."""
    told_at = time.monotonic()

    def say(text: str) -> None:
        nonlocal told_at
        if sys.stderr.isatty():
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        elif text and time.monotonic() - told_at >= _MINUTE_SECONDS:
            told_at = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    return say


def main() -> int:
    """Play the plan and print what came of it."""
    options = parse(sys.argv[1:])
    say = _progress()
    print(
        f"scripts/crash: seed {options.seed}, {options.kills} kills of {options.target} on {options.store}", flush=True
    )
    try:
        figures, problems = asyncio.run(Run(options, say).play())
    except (ServerFailed, OSError, ExceptionGroup) as failed:
        error = failed.exceptions[0] if isinstance(failed, ExceptionGroup) else failed
        if not isinstance(error, ServerFailed | OSError):
            raise
        say("")
        print(f"scripts/crash: seed {options.seed}: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    say("")
    for text in problems:
        print(f"PROBLEM {text}")
    print(json.dumps(figures))
    return 1 if figures["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
