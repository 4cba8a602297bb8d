"""Results as lines of text."""

from collections.abc import Iterator

from mmsc.scenario.verdicts import SIGNS, CaseResult, RunResult, StepResult, Verdict, duration


def line(case: CaseResult) -> str:
    """One case on one line."""
    count = len(case.steps)
    times = f"{case.real / 1_000_000:.2f} s, {duration(case.service)} of service time"
    return f"{SIGNS[case.verdict]} {case.verdict.value:12} {case.name} ({count} steps, {times})"


def step_line(step: StepResult) -> str:
    """One step on one line: when in service time, and what it was."""
    return f"  {SIGNS[step.verdict]} {duration(step.at):>14}  {step.words}"


def failure(case: CaseResult) -> str:
    """What went wrong, with the two aligned lines and the ladders."""
    return "\n".join(_failure(case))


def _failure(case: CaseResult) -> Iterator[str]:
    step = case.failed
    if case.why:
        yield case.why
    if step is not None and step.verdict is not Verdict.PASS:
        yield f"step {step.number}, {case.file}:{step.line}: {step.words}"
        yield f"  {step.why}"
        if step.expected or step.got:
            yield f"  expected  {step.expected}"
            yield f"  got       {step.got}"
    for told in case.messages:
        yield ""
        yield f"{told.name}: {told.url}" if told.url else f"{told.name}:"
        yield from (f"  {one}" for one in told.ladder.splitlines())


def summary(result: RunResult) -> str:
    """All in one line."""
    counts = ", ".join(
        f"{result.count(one)} {one.value}" for one in Verdict if result.count(one) or one is Verdict.PASS
    )
    left = f", {result.left_out} left out" if result.left_out else ""
    return f"{counts}{left} in {result.real / 1_000_000:.1f} s"
