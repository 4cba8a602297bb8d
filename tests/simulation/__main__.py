"""The command line of `scripts/simulate`."""

import argparse
import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from protocols.records import guard
from tests.simulation.chance import drawn, drawn_for_crashes
from tests.simulation.outcomes import Outcome, crashes_of, story_of
from tests.simulation.story import tell

_EPILOG: Final = """examples:
  scripts/simulate                               a thousand seeds
  scripts/simulate --seeds 5000-9999 --jobs 4
  scripts/simulate --crashes 10000               a crash at each commit of as many stories as that takes
  scripts/simulate --seed 17 --verbose           one story, told line by line
  scripts/simulate --seed 17 --crash-at 5        a story whose process dies with its fifth commit
"""
_SHOWN: Final = 20  # violations that are told in full
_BAR: Final = 40
_INTERRUPTED: Final = 130


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; argparse ends the program when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="scripts/simulate",
        description="Tells stories of MMSC processes, their database and neighbours in virtual time: first with faults,"
        " then without, and then everything must have ended. A seed decides everything; it tells the same story again.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--seeds", type=_range, default=range(1, 1001), metavar="A-B", help="stories to tell (1-1000)")
    what.add_argument("--seed", type=int, help="tell this one story")
    what.add_argument("--crashes", type=int, metavar="N", help="tell short stories once for each commit, N in all")
    parser.add_argument(
        "--crash-at", type=int, default=0, metavar="COMMIT", help="with --seed: a short story, and where it crashes"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    parser.add_argument("--verbose", action="store_true", help="with --seed: print the story")
    given = parser.parse_args(arguments)
    if given.crash_at and given.seed is None:
        parser.error("--crash-at belongs to --seed")
    if given.jobs < 1 or given.crash_at < 0 or (given.crashes is not None and given.crashes < 1):
        parser.error("--jobs, --crash-at and --crashes are counted from 1")
    return given


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    try:
        found = range(int(first), int(last or first) + 1)
    except ValueError:
        found = range(0)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no range of seeds; 1-1000 is one")
    return found


def _one(seed: int, crash_at: int, *, verbose: bool) -> int:
    options = drawn_for_crashes(seed) if crash_at else drawn(seed)
    print(f"options: {options}", flush=True)
    told = tell(options, crash_at)
    if verbose:
        print("\n".join(told.lines))
    for what in told.violations:
        print(f"VIOLATION {what}")
    print(f"story {told.digest}: {told.commits} commits, {told.crashes} crashes, {told.seconds:.0f} s of virtual time")
    return 1 if told.violations else 0


class Sum:
    """Adds outcomes up, shows how it goes, and tells what is wrong at once."""

    def __init__(self, wanted: int, unit: str) -> None:
        self._wanted = wanted
        self._unit = unit
        self._began = time.monotonic()
        self.stories = self.commits = self.crashes = self.violations = 0
        self.hours = 0.0

    def add(self, outcome: Outcome) -> bool:
        """Take one in; whether that is all that is wanted."""
        self.stories += outcome.stories
        self.commits += outcome.commits
        self.crashes += outcome.crashes
        self.hours += outcome.seconds / 3600
        for options, what, again in outcome.violations:
            self.violations += 1
            if self.violations <= _SHOWN:
                self._clear()
                print(f"VIOLATION {what[:500]}\n  options: {options}\n  again: scripts/simulate {again} --verbose")
        done = self.stories if self._unit == "seeds" else self.crashes
        self._bar(done)
        return done >= self._wanted

    def _bar(self, done: int) -> None:
        if sys.stderr.isatty():
            full = min(_BAR, _BAR * done // self._wanted)
            bar = "#" * full + "." * (_BAR - full)
            sys.stderr.write(f"\r[{bar}] {done}/{self._wanted} {self._unit}, {self.violations} violations ")
            sys.stderr.flush()

    def _clear(self) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def close(self) -> int:
        """The last lines; the exit status."""
        self._clear()
        seconds = time.monotonic() - self._began
        print(
            f"{self.stories} stories with {self.commits} commits and {self.crashes} crashes, {self.hours:.0f} hours of"
            f" virtual time, in {seconds:.0f} s ({self.stories / seconds:.0f} stories/s): {self.violations} violations"
        )
        return 1 if self.violations else 0


def _many(work: Callable[[int], Outcome], seeds: range, jobs: int, total: Sum) -> int:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=guard) as pool:
        try:
            for outcome in pool.map(work, seeds):
                if total.add(outcome):
                    break
        except KeyboardInterrupt:
            print("interrupted; so far:")
            return total.close() or _INTERRUPTED
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return total.close()


def main(arguments: Sequence[str]) -> int:
    """0 when no invariant was broken, else 1."""
    given = parse(arguments)
    if given.seed is not None:
        return _one(given.seed, given.crash_at, verbose=given.verbose)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # either way the sums so far are told
    if given.crashes is None:
        print(f"seeds {given.seeds.start}-{given.seeds.stop - 1}, {given.jobs} at a time", flush=True)
        return _many(story_of, given.seeds, given.jobs, Sum(len(given.seeds), "seeds"))
    print(f"crashes at each commit of the stories of seeds 1 and up, {given.jobs} at a time", flush=True)
    seeds = range(1, given.crashes + 1)  # a story has more than one commit
    return _many(crashes_of, seeds, given.jobs, Sum(given.crashes, "crashes"))


if __name__ == "__main__":
    guard()
    raise SystemExit(main(sys.argv[1:]))
