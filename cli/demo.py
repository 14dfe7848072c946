"""`belfry demo`: a synthetic bank lives through three months under the shipped rules."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gc
import json
import os
import signal
import sys
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from belfry.cli.demo_berka import demo_berka
from belfry.cli.demo_live import serve_live
from belfry.cli.demo_serve import Served, Unserved, serve_on_host, start_served
from belfry.cli.demo_views import new_console, say, show_demo_summary, show_tales
from belfry.cli.demo_words import HEADINGS
from belfry.cli.examples import by_example
from belfry.cli.loading import load_program
from belfry.cli.progress import progress_bar
from belfry.cli.replay import FOLDER
from belfry.cli.simulate_bank import SEED
from belfry.connectors.codec import Decoder
from belfry.connectors.reasons import Reason, Rejected
from belfry.engine.events import FACTS
from belfry.engine.program import Program
from belfry.engine.reasons import Outcome as Verdict
from belfry.runtime.bank.life import ZONE, Setting
from belfry.runtime.bank.simulate import START, as_lines, simulate_bank
from belfry.runtime.chronicle import Chronicle, Tale, best_tales
from belfry.runtime.host import in_time_order
from belfry.runtime.replay import Replay, encode

CUSTOMERS, DAYS, DAYS_LIVE = 200, 90, 14
RECENT = dt.timedelta(days=14)  # before the live part; what the host is told beside the facts


@dataclass(slots=True)
class Made:
    """The bank's events: lived through, still to come, and what the live host must know."""

    past: list[Any] = field(default_factory=list)
    coming: list[tuple[Any, bytes]] = field(default_factory=list)
    known: list[bytes] = field(default_factory=list)


@click.command(
    epilog=by_example(
        ("belfry demo", "the synthetic bank; on a terminal it goes on live until Ctrl-C"),
        ("belfry demo --language zh --customers 1000", "in Chinese, and larger"),
        ("belfry demo --out out", "and keep events, decisions and messages there"),
        ("belfry demo --bank berka", "the year of a Czech bank, where its files are"),
    )
)
@click.option("--rules", type=FOLDER, default=Path("rules"), show_default=True)
@click.option("--bank", type=click.Choice(["synthetic", "berka"]), default="synthetic")
@click.option("--customers", type=click.IntRange(10, 100_000), default=CUSTOMERS, show_default=True)
@click.option("--seed", type=int, default=SEED, show_default=True, help="Same seed, same bank.")
@click.option("--language", type=click.Choice(["zh", "en"]), help="Default: as your locale says.")
@click.option("--all", "everything", is_flag=True, help="Every rule in the table.")
@click.option("--once", is_flag=True, help="End after the stories, on a terminal too.")
@click.option("--data", type=FOLDER, help="The folder with the Berka files.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Keep the results.")
def demo(
    *,
    rules: Path,
    bank: str,
    customers: int,
    seed: int,
    language: str | None,
    everything: bool,
    once: bool,
    data: Path | None,
    out: Path | None,
) -> None:
    """A bank of made-up customers lives through 90 days under the shipped rules.

    Shows what was sent, what was not and why, and three customers' stories.
    """
    program = load_program(rules)
    if bank == "berka":
        demo_berka(program, rules, data, out)
        return
    spoken = language or _locale_language()
    setting = Setting(customers, DAYS, seed, spoken, START)
    with ExitStack() as files:
        _demo(program, rules, setting, out, files, everything=everything,
              is_live=sys.stdout.isatty() and not once)  # fmt: skip


def _demo(
    program: Program,
    rules: Path,
    setting: Setting,
    out: Path | None,
    files: ExitStack,
    *,
    everything: bool,
    is_live: bool,
) -> None:
    language, words = setting.language, HEADINGS[setting.language]
    console = new_console()
    say(console, words["bank"].format(
        customers=setting.customers, days=setting.days, start=setting.start,
        seed=setting.seed))  # fmt: skip
    chronicle = Chronicle()
    replay = Replay(
        program, _sink(out, "decisions", files), _sink(out, "messages", files), chronicle
    )
    made = _events(program, setting, replay, out)
    starting = _start(rules, made, files) if is_live else None
    gc.freeze()  # events and rulebook stay
    with progress_bar("rules") as progress:
        for number, event in enumerate(made.past):
            if not replay.feed(event):
                replay.refused(Reason.UNKNOWN_ACCOUNT)
            if not number % 500:
                progress(number, len(made.past))
    summary = replay.finish().as_dict()
    if out is not None:
        (out / "summary.json").write_bytes(msgspec.json.format(encode(summary), indent=2) + b"\n")
    plain: dict[str, Any] = json.loads(encode(summary))
    show_demo_summary(console, language, setting, plain, chronicle, everything=everything)
    tales = best_tales(chronicle, language)
    show_tales(console, language, tales, chronicle)
    console.print()
    if starting is not None:
        _go_live(console, setting, replay, chronicle, made=made, starting=starting)
    _farewell(console, language, out, _question(tales))


def _events(program: Program, setting: Setting, replay: Replay, out: Path | None) -> Made:
    """The bank's events. Broken records are counted as in any replay."""
    longer = dataclasses.replace(setting, days=setting.days + DAYS_LIVE)
    with progress_bar("bank") as progress:
        lines = list(as_lines(simulate_bank(longer, progress)))
    end = setting.end.replace(tzinfo=ZONE)
    decoder = Decoder(program.book.event_types)
    made = Made()
    kept = []
    for line in lines:
        event = decoder.decode_event(line)
        if isinstance(event, Rejected):
            replay.refused(event.reason)
        elif event.time >= end:
            made.coming.append((event, line))
            continue
        else:
            made.past.append(event)
            if isinstance(event, FACTS) or event.time >= end - RECENT:
                made.known.append(line)
        kept.append(line)
    if out is not None:
        (out / "events.ndjson").write_bytes(b"".join(kept))
    made.past = in_time_order(made.past)
    made.coming.sort(key=lambda one: one[0].time)
    return made


def _start(rules: Path, made: Made, stack: ExitStack) -> Future[Served]:
    """`belfry serve` is started and told of the bank while the user reads; ended with the stack."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    pool = stack.enter_context(ThreadPoolExecutor(1))
    starting = pool.submit(start_served, rules, folder, made.known)

    def stop() -> None:
        with suppress(Unserved, OSError):
            starting.result().stop()

    stack.callback(stop)
    # A closed terminal and a plain `kill` end like Ctrl-C, or the host would outlive the demo.
    for number in (signal.SIGTERM, signal.SIGHUP):
        stack.callback(signal.signal, number, signal.signal(number, _interrupt))
    return starting


def _interrupt(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt


def _go_live(
    console: Console,
    setting: Setting,
    replay: Replay,
    chronicle: Chronicle,
    *,
    made: Made,
    starting: Future[Served],
) -> None:
    """Through `belfry serve`, which takes the user's own events too; else in this process."""
    language = setting.language
    try:
        with console.status(HEADINGS[language]["starting"]):
            served = starting.result()
    except (Unserved, OSError) as problem:
        console.print(str(problem).splitlines()[-1], style="dim")
        names = {customer: str(person.name) for customer, person in chronicle.people.items()}
        serve_live(console, language, replay, [event for event, _ in made.coming], names=names)
        return
    serve_on_host(console, language, setting, served, made.coming)


def _sink(out: Path | None, name: str, files: ExitStack) -> IO[bytes]:
    """A file in `out`, or nowhere."""
    if out is None:
        return files.enter_context(Path(os.devnull).open("wb"))
    out.mkdir(parents=True, exist_ok=True)
    return files.enter_context((out / f"{name}.ndjson").open("wb"))


def _question(tales: list[Tale]) -> str:
    """Arguments of `belfry explain` about something that was not sent in a story."""
    for tale in tales:
        for chapter in tale.chapters:
            for line in chapter.lines:
                if line.decision.outcome == Verdict.SUPPRESS:
                    return f"--customer {tale.customer} --rule {line.decision.rule}"
    return "--customer C00001 --rule low-balance"


def _locale_language() -> str:
    spoken = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "zh" if spoken.lower().startswith("zh") else "en"


def _farewell(console: Console, language: str, out: Path | None, asked: str) -> None:
    """What to do next, as lines to copy."""
    words = HEADINGS[language]
    events = f"{out}/events.ndjson" if out is not None else "out/events.ndjson"
    rows = [
        (words["ask"], f"belfry explain --events {events} {asked}"),
        (words["own"], "README.md"),
    ]
    if out is None:
        rows.insert(0, (words["again"], "belfry demo --once --out out"))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for said, line in rows:
        table.add_row(Text(said, style="dim"), line)
    say(console, table)
