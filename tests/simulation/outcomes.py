"""Many stories, in short: what a process of `scripts/simulate` tells the one that adds up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.simulation.chance import Options, drawn, drawn_for_crashes
from tests.simulation.story import Told, tell


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the stories of one seed."""

    stories: int
    commits: int
    crashes: int
    seconds: float
    violations: tuple[tuple[str, str, str], ...]  # (options, what, the arguments that tell it again)


def story_of(seed: int) -> Outcome:
    """One seed, one story."""
    return _outcome([tell(drawn(seed))])


def crashes_of(seed: int) -> Outcome:
    """A short story, and the same again with a crash at each of its commits."""
    return _outcome(list(each_crash(drawn_for_crashes(seed))))


def each_crash(options: Options) -> Iterator[Told]:
    """The story without a crash, then with one at its first commit, its second, and so on."""
    whole = tell(options)
    yield whole
    for commit in range(1, whole.commits + 1):
        yield tell(options, commit)


def _outcome(told: Sequence[Told]) -> Outcome:
    return Outcome(
        len(told),
        sum(one.commits for one in told),
        sum(one.crashes for one in told),
        sum(one.seconds for one in told),
        tuple((str(one.options), what, _again(one)) for one in told for what in one.violations[:1]),
    )


def _again(told: Told) -> str:
    return f"--seed {told.options.seed}" + (f" --crash-at {told.crash_at}" if told.crash_at else "")
