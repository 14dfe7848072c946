"""A replay's summary for people: what was sent, what was not and why, rule by rule.

In: summary.json as read. Out: a table on stdout; plain text when it is not a terminal.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

OUTCOMES = ("send", "hold", "suppress", "task", "emit")
REASONS_SHOWN = 3


def show_summary(summary: dict[str, Any], out: Path | None = None) -> None:
    """Print it."""
    console = Console(highlight=False)
    events, time = summary["events"], summary["time"]
    console.print(
        f"[bold]{events['in']:,}[/] events of [bold]{summary['customers']:,}[/] customers, "
        f"{_day(time['first'])} to {_day(time['last'])}: {events['applied']:,} applied, "
        f"{events['repeated']:,} repeated, {events['late']:,} late, "
        f"{events['quarantined']:,} quarantined"
    )
    console.print(
        f"[bold]{summary['decisions']:,}[/] decisions, [bold]{summary['messages']:,}[/] messages, "
        f"{summary['tasks']:,} tasks   (rulebook {summary['rulebook']})\n"
    )
    console.print(_table(summary["rules"]))
    for reason, count in events["quarantined_by_reason"].items():
        console.print(f"quarantined: {count:,} {reason}")
    if events["quarantined"] and out is not None:
        console.print(f"look at them: belfry quarantine list --file {out}/quarantine.ndjson")
    if events["in"] and events["in"] == events["quarantined"]:
        console.print("[red]nothing was taken in:[/] every line is in quarantine")
    for rule, count in summary["errors"].items():
        console.print(f"[red]errors:[/] {count:,} in {rule} (a division by zero?)")
    for rule, since in summary["broken"].items():
        console.print(f"[red]switched off:[/] {rule}, at {since}, until the rulebook changes")
    if out is not None:
        console.print(f"\nwritten: {out}/decisions.ndjson, messages.ndjson, summary.json")


def _table(rules: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("rule", no_wrap=True)
    for outcome in OUTCOMES:
        table.add_column(outcome, justify="right")
    table.add_column("most frequent reasons for not sending")
    for rule, counts in rules.items():
        outcomes = [counts["outcomes"].get(outcome, 0) for outcome in OUTCOMES]
        why = {r: n for r, n in counts["reasons"].items() if r not in ("sent", "raised", "emitted")}
        most = sorted(why.items(), key=lambda one: (-one[1], one[0]))[:REASONS_SHOWN]
        said = ", ".join(f"{reason} {count:,}" for reason, count in most)
        table.add_row(rule, *(f"{count:,}" if count else "·" for count in outcomes), said)
    return table


def _day(instant: str | None) -> str:
    return "?" if instant is None else instant[:10]
