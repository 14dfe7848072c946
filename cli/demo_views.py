"""What the demo shows: the summary and the stories, at any width, with or without colours.

In: a summary, a chronicle, a language. Out: lines on a console.
Every colour stands beside a word that says the same.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from belfry.cli.demo_words import HEADINGS, event_words, moment_words, reason_words
from belfry.runtime.bank.life import Setting
from belfry.runtime.chronicle import Chapter, Chronicle, Line, Tale

RULES_SHOWN = 12
REASONS_SHOWN = 10
COLOURS = {"send": "green", "hold": "yellow", "suppress": "red", "task": "cyan", "emit": "dim"}
NOT_STOPPED = ("sent", "raised", "emitted", "quiet_hold")
WIDTH_MAX = 110
TEXT_SHOWN = 200  # characters of a message in a story


def new_console() -> Console:
    """Standard output; not wider than one reads with ease."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.width = min(console.width, WIDTH_MAX)
    return console


def say(console: Console, shown: RenderableType, style: str | None = None) -> None:
    """Print; into a file or pipe without the blanks that fill columns."""
    if console.is_terminal:
        console.print(shown, style=style)
        return
    with console.capture() as captured:
        console.print(shown, style=style)
    console.file.writelines(line.rstrip() + "\n" for line in captured.get().splitlines())


def show_demo_summary(
    console: Console,
    language: str,
    setting: Setting,
    summary: dict[str, Any],
    chronicle: Chronicle,
    *,
    everything: bool = False,
) -> None:
    """What was sent, what was not and why, which rules spoke."""
    words = HEADINGS[language]
    reasons = _reasons(summary)
    say(console, words["flow"].format(
        events=summary["events"]["in"], rules=len(summary["rules"]),
        decisions=summary["decisions"]))  # fmt: skip
    say(console, words["result"].format(
        messages=summary["messages"], stopped=reasons.total(), tasks=summary["tasks"]),
        style="bold")  # fmt: skip
    months = setting.customers * setting.days / 30
    say(console, words["per_head"].format(few=summary["messages"] / months))
    broken = summary["events"]["quarantined_by_reason"]
    if broken:
        say(console, words["broken"].format(
            count=sum(broken.values()), reasons=", ".join(broken)), style="dim")  # fmt: skip
    _heading(console, words["sent"])
    say(console, _sent(words, chronicle))
    _heading(console, words["stopped"])
    say(console, _stopped(language, reasons))
    if chronicle.fates:
        fates = ", ".join(f"{count:,} {reason_words(reason, language)}"
                          for reason, count in chronicle.fates.most_common(4))  # fmt: skip
        say(console, words["waited"].format(count=chronicle.fates.total(), fates=fates))
    _heading(console, words["rules"])
    shown = None if everything else RULES_SHOWN
    say(console, _rules(language, summary["rules"], shown))
    more = len(summary["rules"]) - RULES_SHOWN
    if more > 0 and not everything:
        say(console, words["more"].format(count=more), style="dim")


def _reasons(summary: dict[str, Any]) -> Counter[str]:
    found: Counter[str] = Counter()
    for counts in summary["rules"].values():
        for reason, count in counts["reasons"].items():
            if reason not in NOT_STOPPED:
                found[reason] += count
    return found


def _heading(console: Console, said: str) -> None:
    console.print()
    say(console, said, style="bold underline")


def _table(*columns: str, right: int = 1) -> Table:
    """The first column is words, those after it figures, then words again."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for place, name in enumerate(columns):
        is_figure = 1 <= place <= right
        table.add_column(name, justify="right" if is_figure else "left", no_wrap=True,
                         overflow="ellipsis")  # fmt: skip
    return table


def _figure(count: int) -> str:
    return f"{count:,}" if count else "·"


def _sent(words: dict[str, str], chronicle: Chronicle) -> Table:
    channels = sorted({channel for _, channel in chronicle.sent_by})
    classes = dict.fromkeys(name for name, _ in chronicle.sent_by)
    table = _table(words["class"], words["total"], *channels, right=1 + len(channels))
    totals = {name: sum(chronicle.sent_by[name, one] for one in channels) for name in classes}
    for name in sorted(classes, key=lambda one: -totals[one]):
        each = (_figure(chronicle.sent_by[name, channel]) for channel in channels)
        table.add_row(name, _figure(totals[name]), *each)
    return table


def _stopped(language: str, reasons: Counter[str]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_column()
    table.add_column(style="dim", no_wrap=True, overflow="ellipsis")
    for reason, count in sorted(reasons.items(), key=lambda one: (-one[1], one[0]))[:REASONS_SHOWN]:
        table.add_row(_figure(count), reason_words(reason, language), reason)
    return table


def _rules(language: str, rules: dict[str, Any], shown: int | None) -> Table:
    words = HEADINGS[language]
    table = _table(words["rule"], words["sends"], words["stops"], words["tasks"], words["mostly"],
                   right=3)  # fmt: skip
    rows = []
    for rule, counts in rules.items():
        why = {r: n for r, n in counts["reasons"].items() if r not in NOT_STOPPED}
        most = min(why, key=lambda one: (-why[one], one), default=None)
        said = "" if most is None else f"{reason_words(most, language)} {why[most]:,}"
        outcomes = counts["outcomes"]
        rows.append(
            (outcomes.get("send", 0), sum(why.values()), outcomes.get("task", 0), rule, said)
        )
    for sends, stops, tasks, rule, said in sorted(rows, key=lambda row: (-row[0], row[3]))[:shown]:
        table.add_row(rule, _figure(sends), _figure(stops), _figure(tasks), said)
    return table


def show_tales(console: Console, language: str, tales: list[Tale], chronicle: Chronicle) -> None:
    """Each story as a timeline: what happened, what was decided, what the customer read."""
    words = HEADINGS[language]
    if not tales:
        return
    _heading(console, words["stories"])
    for tale in tales:
        person = chronicle.people[tale.customer]
        console.print()
        since = words["since"].format(since=person.since, city=person.city)
        say(console, Text.assemble((str(person.name), "bold"), f"  {tale.customer}, {since}"))
        say(console, Padding(_timeline(language, tale.chapters), (0, 0, 0, 2)))


def _timeline(language: str, chapters: tuple[Chapter, ...]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for chapter in chapters:
        what = event_words(chapter.event, language)
        if chapter.is_release:
            what = HEADINGS[language]["over"]
        table.add_row(Text(moment_words(chapter.at, language), style="dim"), what)
        for line in chapter.lines:
            table.add_row("", line_text(line, language))
    return table


def line_text(line: Line, language: str) -> Text:
    """One decision: the word for its outcome, the rule, and the text or the reason."""
    words, decision = HEADINGS[language], line.decision
    outcome = str(decision.outcome)
    text = Text("→ ")
    text.append(words[outcome], style=COLOURS[outcome])
    text.append(f" {decision.rule}: ")
    match outcome:
        case "send" if line.text:
            text.append(f"[{line.channel}] {shortened(line.text)}", style="italic")
        case "hold":
            until = decision.send_at
            text.append(words["until"].format(
                until="?" if until is None else moment_words(until, language)))  # fmt: skip
        case "task":
            text.append(words["staff"])
        case "emit":
            text.append(words["event"])
        case _:
            text.append(reason_words(decision.reason, language))
    return text


def shortened(text: str) -> str:
    """In one line; a letter is cut, a text message never."""
    plain = " ".join(text.split())
    return plain if len(plain) <= TEXT_SHOWN else f"{plain[:TEXT_SHOWN]}…"
