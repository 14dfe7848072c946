"""`belfry explain`: why, or why not."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import click

from belfry.cli.examples import by_example
from belfry.cli.history import customer_not_found, history, moment
from belfry.cli.loading import load_program
from belfry.cli.replay import FILE, FOLDER, Instant
from belfry.engine.decisions import Decision
from belfry.engine.explain import Explained
from belfry.engine.expressions import Explanation, nearest_failing, render
from belfry.engine.reasons import MEANINGS, Reason
from belfry.engine.rulebook.suggest import did_you_mean
from belfry.runtime.story import why

MARKS = {True: "✓", False: "✗", None: "?"}


@click.command(
    epilog=by_example(
        (
            "belfry explain --events events.ndjson --customer C1 --rule low-balance",
            "at the last event that made the rule look",
        ),
        ("belfry explain … --at 2026-03-02T12:00:00+08:00", "as it was then"),
    )
)
@click.option("--rules", type=FOLDER, default=Path("rules"), show_default=True)
@click.option("--events", type=FILE, required=True, multiple=True, help="Event files (NDJSON, gz).")
@click.option("--customer", required=True, help="The customer's id.")
@click.option("--rule", "rule_id", required=True, help="The rule's id.")
@click.option("--at", type=Instant(), help="The moment; default: the last event's time.")
@click.option("--json", "as_json", is_flag=True)
def explain(
    rules: Path,
    events: tuple[Path, ...],
    customer: str,
    rule_id: str,
    at: dt.datetime | None,
    *,
    as_json: bool,
) -> None:
    """Say why a rule spoke to a customer, or why not: every condition with the values it read."""
    program = load_program(rules)
    rule = program.book.rules.get(rule_id)
    if rule is None:
        hint = did_you_mean(rule_id, program.book.rules) or ""
        msg = f"no rule {rule_id!r}; {hint}"
        raise click.UsageError(msg)
    happened = history(program, events)
    when = moment(at, happened)
    story, explained = why(program, happened, customer, rule, when)
    if story.record is None:
        raise customer_not_found(customer, happened)
    decisions = [one for one in story.decisions if one.rule == rule_id and one.at <= when]
    if as_json:
        click.echo(json.dumps(_as_dict(decisions, explained), ensure_ascii=False, default=str))
        return
    click.secho(f"{rule.id}: {rule.title}  (customer {customer})", bold=True)
    if not decisions:
        click.echo("  it never asked to speak to this customer until then")
    for decision in decisions[-5:]:
        click.echo(f"  {_line(decision)}")
    for one in explained:
        _show(one)


def _line(decision: Decision) -> str:
    said = f"{decision.at.isoformat()} {decision.key}: {decision.outcome}, {decision.reason}"
    meaning = MEANINGS.get(Reason(decision.reason)) if decision.reason in list(Reason) else None
    if meaning is None and decision.reason.startswith("cap_"):
        meaning = f"The frequency cap {decision.reason[4:]} was full."
    return f"{said}. {meaning}" if meaning else said


def _show(one: Explained) -> None:
    where = f"event {one.event_id}" if one.event_id else "no event"
    click.echo(f"\nat {one.at.isoformat()} ({where}), {one.key}, alert {one.phase}:")
    for part in one.parts:
        click.echo(f"  {part.name}: {MARKS.get(part.explanation.truth, '?')}")
        _tree(part.explanation, "    ")
    when = next((part for part in one.parts if part.name == "when"), None)
    if when is not None:
        failing = nearest_failing(when.explanation)
        if failing is not None:
            click.secho(f"  nearest failing condition: {render(failing)}", fg="yellow")
    if one.phase == "firing":
        click.echo("  it was firing already: it speaks again only after `until` held")


def _tree(node: Explanation, indent: str) -> None:
    mark = MARKS.get(node.truth, "?")
    if node.kind == "leaf":
        click.echo(f"{indent}{mark} {render(node)}")
        return
    click.echo(f"{indent}{mark} {node.kind}")
    for part in node.parts:
        _tree(part, indent + "  ")


def _as_dict(decisions: list[Decision], explained: list[Explained]) -> dict[str, Any]:
    return {
        "schema": "belfry.explain/1",
        "decisions": [
            {"at": d.at.isoformat(), "key": d.key, "outcome": d.outcome, "reason": d.reason}
            for d in decisions
        ],
        "looked": [
            {
                "at": one.at.isoformat(),
                "event": one.event_id,
                "key": one.key,
                "alert": one.phase,
                "conditions": {p.name: _node(p.explanation) for p in one.parts},
                "nearest_failing": [
                    render(leaf)
                    for p in one.parts
                    if p.name == "when" and (leaf := nearest_failing(p.explanation)) is not None
                ],
            }
            for one in explained
        ],
    }


def _node(node: Explanation) -> dict[str, Any]:
    found: dict[str, Any] = {"text": node.text, "truth": node.truth}
    if node.values:
        found["values"] = dict(node.values)
    if node.parts:
        found[node.kind] = [_node(part) for part in node.parts]
    return found
