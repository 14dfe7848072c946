"""README and docs/SERVE.md are followed to the letter: files, commands, results."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
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


# --- the second page: docs/SERVE.md ---------------------------------------------------------------
PAGE = (ROOT / "docs" / "SERVE.md").read_text(encoding="utf-8")
START = shlex.split(re.search(r"^\.venv/bin/belfry (serve .+)$", PAGE, re.MULTILINE)[1])  # type: ignore[index]
CALLS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
ADDRESS = "http://127.0.0.1:8765"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The host of the page, on a free port."""
    for name, text in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    arguments = [one.replace(":8765", ":0") for one in START]
    process = subprocess.Popen(
        [sys.executable, "-c", "from belfry.cli import main; main()", *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    assert said.startswith("serving on http://127.0.0.1:"), said
    yield said.split()[-1], process
    process.terminate()
    process.communicate(timeout=60)


def call(host: str, number: int, folder: Path) -> dict[str, object]:
    command = CALLS[number].replace(ADDRESS, host)
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, check=True, text=True
    )
    answer: dict[str, object] = orjson.loads(done.stdout)
    return answer


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page uses curl")
def test_a_newcomer_who_follows_the_page_gets_their_own_alert(
    host: tuple[str, subprocess.Popen[str]], tmp_path: Path
) -> None:
    url, process = host
    history = call(url, 0, tmp_path)
    assert orjson.dumps(history).decode() in PAGE
    paid = call(url, 1, tmp_path)
    assert paid["applied"] == 1
    assert process.stdout is not None
    box = [process.stdout.readline() for _ in range(3)]
    shown = PAGE[PAGE.index("╭─") :]
    assert box[1] == shown.splitlines(keepends=True)[1]
    assert call(url, 1, tmp_path)["repeated"] == 1
    decisions = call(url, 2, tmp_path)["decisions"]
    assert isinstance(decisions, list)
    assert [one["outcome"] for one in decisions][-1] == "send"
    mixed = call(url, 3, tmp_path)
    assert mixed["accepted"] == 1
    assert len(mixed["rejected"]) == 1  # type: ignore[arg-type]
