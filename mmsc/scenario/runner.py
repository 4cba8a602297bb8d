"""Carries a scenario out, step by step, in service time.

Whoever waits for something looks; when all has come to rest and it is not there, the clock is put forward to what is
due next, as long as that is within the step's time. So an hour's expiry takes a moment, and a failure says at once what
is missing.
"""

import time
from collections.abc import Callable
from typing import Final

from mmsc.client import ApiError, Client, Json
from mmsc.client.looking import Seen, lines, misses, nearest, wanted
from mmsc.client.patterns import Unknown, found
from mmsc.client.waiting import WITHIN_SECONDS, Watch, until, why
from mmsc.scenario.acting import Acting, Unfit
from mmsc.scenario.model import Scenario, Step
from mmsc.scenario.story import Story
from mmsc.scenario.verdicts import CaseResult, StepResult, Told, Verdict
from mmsc.scenario.words import words_of

_TAKEN: Final[dict[str, dict[str, str]]] = {  # what is expected of an answer of which nothing is said
    "submit": {"status_code": "1000"},
    "repeat": {"status_code": "1000"},
    "send": {"ok": "true"},
}


class _Failed(Exception):
    """A step did not come out as it should."""

    def __init__(self, why: str, expected: str = "", got: str = "", seen: Seen | None = None) -> None:
        super().__init__(why)
        self.expected, self.got, self.seen = expected, got, seen


class Runner:
    """Runs scenarios against one lab. `told` hears of each step as it ends."""

    def __init__(
        self, client: Client, told: Callable[[StepResult], None] = lambda step: None, *, reset: bool = True
    ) -> None:
        self._client = client
        self._told = told
        self._reset = reset

    def run(self, scenario: Scenario, stop: Callable[[], bool] = lambda: False) -> CaseResult:
        """One scenario, from a clean lab. Never raises for what a lab does."""
        began, real = time.time_ns() // 1000, time.monotonic()
        story = Story(Watch(self._client))
        results: list[StepResult] = []
        why = ""
        acting = Acting(self._client, story)
        try:
            if self._reset:
                self._client.reset()
            story.began = self._client.still().now
            acting.set_up(scenario.setup)
            for number, step in enumerate(scenario.steps, 1):
                if stop():
                    why = "stopped"
                    break
                results.append(self._step(number, step, story, acting))
                self._told(results[-1])
                if results[-1].verdict is not Verdict.PASS:
                    break
        except (ApiError, OSError, Unfit) as error:
            why = f"the lab cannot be used: {error}"
        acting.clean_up()
        verdict = Verdict.INCONCLUSIVE if why else (results[-1].verdict if results else Verdict.PASS)
        return CaseResult(
            name=scenario.name,
            file=scenario.file,
            verdict=verdict,
            steps=tuple(results),
            messages=tuple(self._messages(story, results)),
            began_at=began,
            service=self._now(story) - story.began,
            real=round((time.monotonic() - real) * 1_000_000),
            description=scenario.description,
            clause=scenario.clause,
            why=why,
        )

    def _now(self, story: Story) -> int:
        try:
            return self._client.still().now
        except (ApiError, OSError):
            return story.began

    def _step(self, number: int, step: Step, story: Story, acting: Acting) -> StepResult:
        at = self._client.still().now
        made = {"number": number, "line": step.line, "verb": step.verb, "words": words_of(step), "at": at - story.began}
        outcome: dict[str, object] = {"verdict": Verdict.PASS}
        try:
            seen = self._do(step, story, acting)
            outcome |= {} if seen is None else {"pdu": seen.pdu, "mm_id": seen.mm_id}
        except _Failed as error:
            seen = error.seen
            outcome = {"verdict": Verdict.FAIL, "why": str(error), "expected": error.expected, "got": error.got}
            outcome |= {"pdu": seen.pdu if seen else "", "mm_id": (seen.mm_id if seen else "") or story.last}
        except (Unknown, ValueError) as error:
            outcome = {"verdict": Verdict.FAIL, "why": str(error)}
        except (ApiError, OSError, Unfit) as error:
            outcome = {"verdict": Verdict.INCONCLUSIVE, "why": str(error)}
        took = self._now(story) - at
        return StepResult(**made, **outcome, took=took)  # type: ignore[arg-type]

    def _do(self, step: Step, story: Story, acting: Acting) -> Seen | None:
        match step.verb:
            case "expect":
                return self._expect(step, story)
            case "nothing":
                self._nothing(step, story)
            case "settle":
                until(self._client, lambda: None, float(step.what))
            case _:
                answer = acting.do(step)
                self._answered(step, story, answer)
        return None

    def _answered(self, step: Step, story: Story, answer: dict[str, object]) -> None:
        """What the MMSC answered to what was done."""
        patterns = step.get("answer")
        if patterns is None and not step.get("lose_answer"):
            patterns = _TAKEN.get(step.verb)
        if patterns:
            one = Seen(("answer",), str(answer.get("answer") or "answer"), answer)
            wish = wanted({"event": one.name, "fields": patterns}, story.variables, "")
            if misses(one, wish):
                expected, got = lines(wish, one)
                problem = str(answer.get("problem") or answer.get("status") or answer.get("status_text") or "")
                raise _Failed("the answer is another" + (f": {problem}" if problem else ""), expected, got, None)
        self._save(step, story, answer)

    def _save(self, step: Step, story: Story, fields: dict[str, object]) -> None:
        for name, field in (step.get("save") or {}).items():
            value = found(fields, field)
            if value is None:
                raise _Failed(f"there is no {field} to save as ${name}")
            story.variables[name] = value.get("Value", value) if isinstance(value, dict) else value

    def _expect(self, step: Step, story: Story) -> Seen:
        wish = wanted(step.what, story.variables, story.id_of(step.get("of")))
        one, seen = story.watch.wait(wish, step.get("within", WITHIN_SECONDS))
        if one is None:
            best = nearest(seen, wish)
            expected, got = lines(wish, best)
            raise _Failed(why(wish, seen, best), expected, got, best)
        story.watch.use(one)
        self._save(step, story, dict(one.fields))
        return one

    def _nothing(self, step: Step, story: Story) -> None:
        wish = wanted(step.what, story.variables, story.id_of(step.get("of")))
        one, _ = story.watch.wait(wish, step.get("within", WITHIN_SECONDS))
        if one is not None:
            raise _Failed("something came that should not", f"nothing of {wish.words}", lines(wish, one)[1], one)

    def _messages(self, story: Story, results: list[StepResult]) -> list[Told]:
        failed = next((one for one in results if one.verdict is not Verdict.PASS), None)
        return [self._message(name, mm_id, failed) for name, mm_id in story.messages.items()]

    def _message(self, name: str, mm_id: str, failed: StepResult | None) -> Told:
        url, pdu = f"{self._client.url}/m/{mm_id}", None
        try:
            ladder, rows = self._client.ladder(mm_id), self._client.ladder_rows(mm_id)
            if failed is not None and failed.mm_id == mm_id:
                pdu = self._deciding(mm_id, failed)
        except (ApiError, OSError) as error:
            return Told(mm_id=mm_id, name=name, ladder=f"no ladder: {error}", url=url)
        return Told(mm_id=mm_id, name=name, ladder=ladder, url=url, rows=rows, pdu=pdu)

    def _deciding(self, mm_id: str, failed: StepResult) -> Json | None:
        """The PDU that decided against a step: the one that came nearest, else the last of its name."""
        number = failed.pdu
        if not number:
            name = failed.got.split("  ")[0]
            named = [one["number"] for one in self._client.pdus(mm_id) if name in (one["name"], one["carries"])]
            number = named[-1] if named else ""
        return self._client.pdu(mm_id, number) if number else None
