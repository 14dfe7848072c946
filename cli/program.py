"""The group `belfry`: which commands there are, and what becomes of a mistake.

In: arguments. Out: an exit code (`EXIT_…`); diagnostics on stderr.
Nobody sees a traceback for something a user did. A command's module is imported when it is called,
so that `belfry --help` is quick and a broken command harms no other.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
from typing import Any, NamedTuple, NoReturn

import click

from belfry.cli.examples import by_example
from belfry.engine.faults import RulebookRefused

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_FAULT = 70  # EX_SOFTWARE of sysexits.h
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
EXIT_PIPE_CLOSED = 141  # 128 + SIGPIPE: `belfry … | head` is nobody's mistake


class Row(NamedTuple):
    """One command: where it is, and its line in `belfry --help`."""

    target: str
    summary: str


COMMANDS: dict[str, Row] = {
    "backup": Row("belfry.cli.backup:backup", "Copy the data file of a running server."),
    "customer": Row("belfry.cli.customer:customer", "What is known about a customer."),
    "decisions": Row("belfry.cli.decisions:decisions", "What a server decided, as a file."),
    "demo": Row("belfry.cli.demo:demo", "A synthetic bank lives under the shipped rules."),
    "doctor": Row("belfry.cli.doctor:doctor", "What would keep a server from running well."),
    "explain": Row("belfry.cli.explain:explain", "Why, or why not: one customer, rule and time."),
    "fake-providers": Row(
        "belfry.cli.fake_providers:fake_providers", "Play the providers, to try out failures."
    ),
    "import": Row("belfry.cli.import_:import_command", "Turn a bank's files into events."),
    "lint": Row("belfry.cli.lint:lint", "Check a rulebook; report every fault at once."),
    "plan": Row("belfry.cli.plan:plan_command", "What another rulebook does to live state."),
    "preview": Row("belfry.cli.preview:preview", "A rule's texts, with segments and cost."),
    "quarantine": Row(
        "belfry.cli.quarantine:quarantine", "Records refused, why, and a second try."
    ),
    "replay": Row("belfry.cli.replay:replay", "Run history through the whole engine."),
    "schema": Row("belfry.cli.schema:schema", "JSON Schema of events and rules, for editors."),
    "serve": Row("belfry.cli.serve:serve", "Run a bank's alerts: events in, messages out."),
    "sim": Row("belfry.cli.sim:sim", "Crashes, lies and full disks in virtual time, by a seed."),
    "simulate-bank": Row(
        "belfry.cli.simulate_bank:simulate_bank_command", "Make a synthetic bank's events."
    ),
    "test": Row("belfry.cli.test:test", "Run the tests inside rules."),
    "topics": Row("belfry.cli.topics:topics", "The topics of the cluster on Kafka."),
}


class Program(click.Group):
    """A group that imports commands late and turns every exception into a sentence and a code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        row = COMMANDS.get(cmd_name)
        if row is None:
            return None
        module, _, attribute = row.target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command), row.target
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].summary) for name in sorted(COMMANDS)])

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command. An int it returns is the exit code."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except (click.exceptions.Exit, click.Abort):
            raise
        except click.ClickException as mistake:
            # click gives 1 to some mistakes; here 1 says that a command has findings.
            mistake.show()
            sys.exit(EXIT_USAGE)
        except BrokenPipeError:
            _leave_closed_pipe()
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(EXIT_INTERRUPTED)
        except RulebookRefused as refused:
            click.echo("\n".join(str(fault) for fault in refused.faults), err=True)
            sys.exit(EXIT_FINDINGS)
        except OSError as problem:
            _leave_environment(problem)
        except Exception as fault:  # noqa: BLE001  (the one place of this host)
            _leave_fault(fault, debug=bool(ctx.params.get("debug")))
        if isinstance(code, int) and code:
            ctx.exit(code)
        return code


def _leave_environment(problem: OSError) -> NoReturn:
    """A file that is not there or may not be read."""
    place = f"{problem.filename}: " if problem.filename is not None else ""
    click.echo(f"Error: {place}{problem.strerror or problem}", err=True)
    sys.exit(EXIT_USAGE)


def _leave_fault(fault: Exception, *, debug: bool) -> NoReturn:
    if debug:
        traceback.print_exception(fault)
    else:
        click.echo(f"Error: belfry failed: {type(fault).__name__}: {fault}", err=True)
        click.echo("This is our mistake. `belfry --debug …` shows where it happened.", err=True)
    sys.exit(EXIT_FAULT)


def _leave_closed_pipe() -> NoReturn:
    # The interpreter flushes stdout once more on its way out: give it somewhere to write to.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(EXIT_PIPE_CLOSED)


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=by_example(
        ("belfry demo", "a synthetic bank under the shipped rules, summed up"),
        ("belfry lint", "every fault of the rulebook in ./rules, with its place"),
        ("belfry test", "the tests inside its rules"),
        (
            "belfry replay --rules rules --events events.ndjson --out out",
            "what would have been sent",
        ),
    ),
)
@click.option(
    "--debug",
    is_flag=True,
    envvar="BELFRY_DEBUG",
    help="Show the traceback of a fault of belfry itself (or set BELFRY_DEBUG=1).",
)
@click.version_option(package_name="belfry-alerts", prog_name="belfry")
def main(*, debug: bool) -> None:  # read by Program.invoke
    """Belfry tells bank customers what they need to know, once, when they may be told.

    Exit codes: 0 ok, 1 findings, 2 usage or environment, 70 a fault of belfry, 130 interrupted.
    """
