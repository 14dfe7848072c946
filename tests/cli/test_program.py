"""The command line as a whole: help, exit codes, what becomes of a mistake."""

import errno
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner, Result

from belfry.cli import main, program
from belfry.cli.examples import by_example
from belfry.cli.program import COMMANDS, Program
from belfry.engine.faults import Fault, Place, RulebookRefused


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself_by_example(name: str) -> None:
    shown = run(name, "--help")
    assert shown.exit_code == 0, shown.output
    assert "Examples:" in shown.output
    assert f"belfry {name}" in shown.output


def test_help_lists_every_command_without_importing_any() -> None:
    shown = run("--help")
    assert all(name in shown.output for name in COMMANDS)
    code = (
        "import sys; from belfry.cli import main; main(['--help'], standalone_mode=False);"
        "print([m for m in sys.modules if m in ('rich', 'jinja2', 'rule_engine', 'babel')])"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.rstrip().endswith("[]")


def test_the_version_is_that_of_the_distribution() -> None:
    assert run("--version").output.startswith("belfry, version 0.1.")


def test_a_word_that_is_no_command_is_a_usage_error() -> None:
    assert run("frobnicate").exit_code == 2


def failing(fault: BaseException | int) -> Program:
    """A program with one command that fails in the given way."""

    @click.command()
    def fail() -> int:
        if isinstance(fault, int):
            return fault
        raise fault

    class OneCommand(Program):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return fail

    made = OneCommand(name="belfry")
    made.params = [click.Option(["--debug"], is_flag=True)]
    return made


MISTAKES = [
    ("ok", 0, 0, ""),
    ("findings", 1, 1, ""),
    ("click's own code 1", click.ClickException("no rules there"), 2, "no rules there"),
    ("usage", click.UsageError("what?"), 2, "what?"),
    (
        "a file that is missing",
        FileNotFoundError(errno.ENOENT, "not there", "x.csv"),
        2,
        "x.csv: not there",
    ),
    ("our own fault", ValueError("ouch"), 70, "ValueError: ouch"),
    ("Ctrl-C", KeyboardInterrupt(), 130, "interrupted"),
    ("a closed pipe", BrokenPipeError(errno.EPIPE, "closed"), 141, ""),
    (
        "a rulebook with faults",
        RulebookRefused([Fault("B201", Place("rules/a.yaml", 3, 1), "unknown key")]),
        1,
        "rules/a.yaml:3:1: error[B201]: unknown key",
    ),
]


@pytest.mark.parametrize(
    ("fault", "code", "said"), [row[1:] for row in MISTAKES], ids=[r[0] for r in MISTAKES]
)
def test_every_end_has_its_code_and_no_traceback(
    fault: BaseException | int, code: int, said: str
) -> None:
    result = CliRunner().invoke(failing(fault), ["fail"])
    assert result.exit_code == code
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_debug_shows_where_our_own_fault_happened() -> None:
    result = CliRunner().invoke(failing(ValueError("ouch")), ["--debug", "fail"])
    assert result.exit_code == 70
    assert "Traceback" in result.stderr


def test_a_reader_that_stops_early_makes_no_noise() -> None:
    code = (
        "import sys; from belfry.cli import program; import click\n"
        "@click.command()\n"
        "def talk():\n"
        "    for _ in range(200000): click.echo('line')\n"
        "program.Program.get_command = lambda *_: talk\n"
        "program.main(['talk'])"
    )
    talker = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert talker.stdout is not None
    assert talker.stderr is not None
    talker.stdout.readline()
    talker.stdout.close()
    noise = talker.stderr.read()
    talker.stderr.close()
    assert talker.wait(timeout=60) == program.EXIT_PIPE_CLOSED
    assert noise == b""


def test_examples_are_aligned_and_a_long_one_explains_itself_below() -> None:
    shown = by_example(("belfry a", "short"), ("belfry " + "b" * 60, "long"))
    lines = shown.splitlines()
    assert lines[1] == "Examples:"
    assert lines[2].index("short") == lines[4].index("long")
