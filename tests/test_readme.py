"""The README's first rule is followed to the letter: files, commands, results."""

import re
import shlex
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from belfry.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LESSON = README[README.index("## Your first rule") : README.index("## Read on")]
# A sentence that ends in a file's name, and the block that belongs into it.
FILES = re.findall(r"`(first/[^`]+)`:\n\n```\w+\n(.*?)```", LESSON, re.DOTALL)
COMMANDS = re.findall(r"^\.venv/bin/(belfry .+)$", LESSON, re.MULTILINE)


@pytest.fixture
def lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_the_lesson_has_its_files_and_commands() -> None:
    assert len(FILES) == 4
    assert [command.split()[1] for command in COMMANDS] == ["lint", "test", "replay"]


def test_a_newcomer_who_follows_the_readme_gets_a_message(lesson: Path) -> None:
    for command in COMMANDS:
        done = CliRunner().invoke(main, shlex.split(command)[1:])
        assert done.exit_code == 0, f"{command}\n{done.output}"
    (message,) = (lesson / "first/out/messages.ndjson").read_bytes().splitlines()
    text = orjson.loads(message)["text"]
    assert text == "€1,500.00 left your account ****0300. Not you? Call us."
    (decision,) = (lesson / "first/out/decisions.ndjson").read_bytes().splitlines()
    assert orjson.loads(decision)["outcome"] == "send"


MISTAKES = [("amount > 1000", "ammount > 1000"), ('"debit" and', '"debit and'), ("1000", '"1000"')]


@pytest.mark.parametrize(("right", "wrong"), MISTAKES)
def test_the_mistakes_that_the_readme_proposes_are_found_with_their_place(
    lesson: Path, right: str, wrong: str
) -> None:
    rule = lesson / "first/rules/accounts/large-debit.yaml"
    rule.write_text(rule.read_text().replace(right, wrong, 1), encoding="utf-8")
    done = CliRunner().invoke(main, shlex.split(COMMANDS[0])[1:])
    assert done.exit_code == 1
    assert "accounts/large-debit.yaml:6:" in done.output


def test_the_picture_shows_what_the_demo_shows_and_the_two_commands_exist() -> None:
    picture = README[README.index("<!-- picture: make picture -->") : README.index("## Two")]
    for words in ("messages went out", "What was not sent, and why", "One of three", "→ held "):
        assert words in picture
    assert max(len(line) for line in picture.splitlines()) <= 100
    for command in ("make demo ", "make test "):
        assert f"\n{command}" in README
