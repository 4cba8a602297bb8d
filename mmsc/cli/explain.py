"""`mmsc explain RULE`: what a rule that a finding names asks for, why it matters, and an example of each kind."""

import difflib
import json
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click

from mmsc.cli.group import examples

if TYPE_CHECKING:
    from protocols.rules import Rule

_WIDTH: Final = 100  # characters


@click.command("explain", epilog=examples("explain MM7-R012", "explain", "explain --json MM7-R012"))
@click.argument("rule", default="")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text: one object, or a list of all.")
def command(rule: str, as_json: bool) -> None:
    """Say what RULE asks for: its clause, why it matters, a good and a bad example. Without RULE, list all of them.

    The names of rules stand in findings: in the trace, in `mmsc decode`, in refusals. They are permanent.
    """
    known = {one.name: one for one in rules()}
    if rule and rule.upper() not in known:
        near = ", ".join(difflib.get_close_matches(rule.upper(), known)) or "`mmsc explain` lists them"
        raise click.BadParameter(f"no rule is named {rule}; {near}", param_hint="RULE")
    chosen = [known[rule.upper()]] if rule else list(known.values())
    if as_json:
        objects = [_as_object(one) for one in chosen]
        click.echo(json.dumps(objects[0] if rule else objects, indent=2, ensure_ascii=False))
        return
    for line in _explained(chosen[0]) if rule else (f"{one.name}  {one.text}" for one in chosen):
        click.echo(line)


def rules() -> "Iterator[Rule]":
    """The rules of every protocol that has some."""
    from mmsc.trace.view.rules import rules as every

    return every()


def _explained(rule: "Rule") -> Iterator[str]:
    yield f"{rule.name}  {rule.clause}"
    for text in (rule.text, rule.why):
        yield ""
        yield from textwrap.wrap(text, _WIDTH)
    for title, example in (("Good", rule.good or "(nothing)"), ("Bad", rule.bad)):
        yield ""
        yield f"{title}, {rule.where}:"
        yield from (f"  {line}" for line in example.splitlines())


def _as_object(rule: "Rule") -> dict[str, str]:
    return {
        "rule": rule.name,
        "clause": rule.clause,
        "text": rule.text,
        "why": rule.why,
        "where": str(rule.where),
        "good": rule.good,
        "bad": rule.bad,
    }
