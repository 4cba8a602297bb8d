"""The manual of scenario files, made of the table of their keys: `docs/scenarios.md` is what this prints."""

from collections.abc import Iterator, Mapping
from typing import Final

from mmsc.scenario.model import SETUP, STEPS, TOP, Key

_HEAD: Final = """\
# Scenarios

A scenario says what neighbours of an MMSC do, and what must follow. `mmsc run FILE ...` carries it out on a lab of its
own, or with `--url` on one that runs; without files it runs the ready ones, `config/scenarios/`. `mmsc run --schema`
prints a JSON Schema for editors, and `mmsc run --record ID --url URL` drafts a scenario from a message that went
through.

    name: The recipient does not want it
    setup:
      phones: {"+15550000001": reject}
    steps:
      - submit: {to: +15550000001, subject: Lottery, text: You have won.}
      - expect:
          vasp_got: DeliveryReportReq
          fields: {MessageID: $message_id, MMStatus: Rejected}
      - nothing: {vasp_got: "*", within: 3 d}

Times are service time: when all has come to rest and what is expected is not there, the clock is put forward to what is
due next, so that three days take a moment. Each scenario begins with a clean lab: messages, faults, what neighbours got
and how they behave are forgotten; service time stays ahead where it is, for it never goes back.

What was met by an expectation is not met by another one: two reports need two expectations. `nothing` looks at what was
not expected before.

**Patterns** of fields: a value; `*` or `any` for anything; text with `*` in it; `/regular expression/`; `1..100`; a
list, one of which it is; `{not: PATTERN}`; `absent`; `$name`, which an earlier step saved (`$message_id`,
`$transaction_id` and `$mm_id` are those of the last message). Fields are found in any spelling (`X-Mms-Message-ID`,
`MessageID`, `message_id`), by a path with dots, or as deep as they stand.

**Times**: `30 s`, `5 min`, `2 h`, `1 d`, `PT1H`, or seconds.
"""


def manual() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    yield "## The file\n"
    yield from _table(TOP)
    yield "\n## setup\n"
    yield from _table(SETUP)
    yield "\n## steps\n"
    yield "Each step has one of these keys."
    for name, key in STEPS.items():
        yield f"\n### {name}\n"
        yield f"{key.about[0].upper()}{key.about[1:]}."
        if key.inside:
            yield ""
            yield from _table(key.inside)


def _table(keys: Mapping[str, Key]) -> Iterator[str]:
    yield "| Key | Form | About |"
    yield "|---|---|---|"
    for name, key in keys.items():
        needed = " (needed)" if key.needed else ""
        yield f"| `{name}`{needed} | {key.kind} | {key.about.replace('|', chr(92) + '|')} |"
