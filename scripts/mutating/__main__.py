"""The command line of `scripts/mutate`."""

import argparse
import os
import random
import sys
import tempfile
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Final

from mutating.decoders import DECODERS, USUAL
from mutating.trial import Outcome, trial

_PIECE: Final = 10_000  # inputs of one task: a decoder's are shared out over the processes, and progress is seen
_EPILOG: Final = """examples:
  scripts/mutate
  scripts/mutate --decoder mm1 --count 2000000
  scripts/mutate --seconds 600 --decoder mm1 --decoder multipart
  scripts/mutate --decoder mm1 --seed 1234 --count 10000

A seed makes the same inputs again. An input that a decoder fails on is written to a file, and its seed is told.
The exit status is 0 when nothing but a ProtocolError was raised, steps and memory stayed in proportion to the octets,
and what was written again was read the same; 1 when not.
"""


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse ends the program when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="scripts/mutate",
        description="Damages golden octets in many ways and feeds them to the decoders.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--decoder", action="append", choices=DECODERS, help=f"again for more ({' '.join(USUAL)})")
    parser.add_argument("--count", type=_positive, default=200_000, help="inputs for each decoder (200000)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="processor time for each decoder, at most")
    parser.add_argument("--seed", type=int, help="of the inputs (one is drawn, and told)")
    parser.add_argument("--processes", type=_positive, default=os.cpu_count() or 1, help="at the same time (all)")
    parser.add_argument("--out", type=Path, help="where inputs that fail are written (a temporary folder)")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def _run(name: str, seed: int, count: int, seconds: float) -> Outcome:
    return trial(DECODERS[name], seed, count, seconds)


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _report(name: str, outcomes: list[Outcome]) -> str:
    tried, read, refused = (sum(getattr(one, key) for one in outcomes) for key in ("tried", "read", "refused"))
    steps, memory = (max(getattr(one, key) for one in outcomes) for key in ("steps", "memory"))
    seconds = sum(one.seconds for one in outcomes)
    return (
        f"{name:13} {tried:8} inputs, {read} read, {refused} refused; steps {steps:.0%} and memory {memory:.0%}"
        f" of what is allowed at most; {seconds:.1f} s"
    )


def _write(outcome: Outcome, folder: Path | None) -> Path:
    folder = folder or Path(tempfile.mkdtemp(prefix="mmsc-mutate-"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{outcome.decoder}-{outcome.seed}-{outcome.tried}.hex"
    path.write_text(f"{outcome.octets.hex()}  # {outcome.failed}\n")
    return path


def main() -> int:
    """Try all that was asked for; the exit status."""
    options = parse(sys.argv[1:])
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    names = options.decoder or USUAL
    print(f"seed {seed}", flush=True)
    pieces = [
        (name, seed + at // _PIECE, min(_PIECE, options.count - at))
        for name in names
        for at in range(0, options.count, _PIECE)
    ]
    found: dict[str, list[Outcome]] = {name: [] for name in names}
    with ProcessPoolExecutor(min(options.processes, len(pieces))) as pool:
        share = options.seconds / max(1, len(pieces) // len(names))
        waiting: set[Future[Outcome]] = {pool.submit(_run, *piece, share) for piece in pieces}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for one in (future.result() for future in done):
                found[one.decoder].append(one)
                if one.failed:
                    _say("")
                    print(f"{one.decoder}: {one.failed}")
                    print(f"  --seed {one.seed}, input {one.tried}: {_write(one, options.out)}")
                    pool.shutdown(cancel_futures=True)
                    return 1
            _say(f"{len(pieces) - len(waiting)} of {len(pieces)} pieces")
    _say("")
    for name in names:
        print(_report(name, found[name]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
