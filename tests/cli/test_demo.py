"""`belfry demo`: what a newcomer sees first."""

import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from rich.console import Console

from belfry.cli import main
from belfry.cli.demo_live import PAUSE_S_MAX, serve_live
from belfry.cli.demo_words import HEADINGS, REASONS, TELLERS, event_words, reason_words
from belfry.cli.loading import load_program
from belfry.connectors.codec import Decoder
from belfry.engine.program import Program
from belfry.engine.reasons import Reason
from belfry.runtime.bank.life import Setting
from belfry.runtime.bank.simulate import START, as_lines, simulate_bank
from belfry.runtime.replay import Replay

RULES = Path(__file__).parents[2] / "rules"
CUSTOMERS = "100"


def shown(language: str, columns: int, out: Path | None = None) -> str:
    kept = ("--out", str(out)) if out is not None else ()
    done = CliRunner().invoke(
        main,
        ["demo", "--rules", str(RULES), "--customers", CUSTOMERS, "--language", language, *kept],
        env={"COLUMNS": str(columns), "TERM": "xterm-256color"},
    )
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "out"


@pytest.fixture(scope="module")
def english(kept: Path) -> str:
    return shown("en", 80, kept)


@pytest.fixture(scope="module")
def chinese() -> str:
    return shown("zh", 120)


def test_without_a_terminal_it_ends_and_says_what_was_sent_and_what_was_not(english: str) -> None:
    for heading in ("sent", "stopped", "rules", "stories"):
        assert HEADINGS["en"][heading] in english
    assert HEADINGS["en"]["live"].partition(":")[0] not in english
    assert "belfry explain --events" in english


def test_the_stories_have_something_held_dropped_released_and_sent(
    english: str, chinese: str
) -> None:
    for language, output in (("en", english), ("zh", chinese)):
        words = HEADINGS[language]
        stories = output[output.index(words["stories"]) :]
        assert f"→ {words['hold']} " in stories
        assert words["over"] in stories
        assert f": {reason_words('not_true_any_more', language)}" in stories
        assert f"→ {words['suppress']} " in stories
        assert "[push] " in stories or "[sms] " in stories
        assert stories.count("C000") + stories.count("C00100") >= 3


def test_no_line_is_wider_than_the_terminal_and_none_ends_in_blanks(
    english: str, chinese: str
) -> None:
    for output, columns in ((english, 80), (chinese, 120)):
        lines = output.splitlines()
        assert [line for line in lines if cell_len(line) > columns] == []
        assert [line for line in lines if line != line.rstrip()] == []


def test_a_pipe_gets_no_colours(english: str) -> None:
    assert "\x1b" not in english


def test_chinese_columns_are_aligned(chinese: str) -> None:
    lines = chinese.splitlines()
    start = lines.index(HEADINGS["zh"]["stopped"]) + 1
    table = lines[start : start + 6]
    at = {cell_len(line[: len(line) - len(line.split()[-1])]) for line in table}
    assert len(at) == 1


def test_what_is_kept_replays_to_the_same_decisions(
    english: str, kept: Path, tmp_path: Path
) -> None:
    again = ["replay", "--rules", str(RULES), "--events", str(kept / "events.ndjson")]
    assert CliRunner().invoke(main, [*again, "--out", str(tmp_path)]).exit_code == 0
    for name in ("decisions.ndjson", "messages.ndjson", "summary.json"):
        assert (tmp_path / name).read_bytes() == (kept / name).read_bytes(), name


def test_the_question_that_it_proposes_has_an_answer(english: str, kept: Path) -> None:
    words = english[english.index("belfry explain") :].split()
    customer, rule = (words[words.index(name) + 1] for name in ("--customer", "--rule"))
    asked = ["explain", "--rules", str(RULES), "--events", str(kept / "events.ndjson")]
    done = CliRunner().invoke(main, [*asked, "--customer", customer, "--rule", rule])
    assert done.exit_code == 0, done.output


def test_berka_without_its_files_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELFRY_BERKA", "nowhere")
    done = CliRunner().invoke(main, ["demo", "--rules", str(RULES), "--bank", "berka"])
    assert done.exit_code == 2
    assert "nowhere: no such folder" in done.output


@pytest.fixture(scope="module")
def program() -> Program:
    return load_program(RULES)


def live(program: Program, pause: Any) -> str:
    """A few days of a small bank, shown live."""
    lines = as_lines(simulate_bank(Setting(30, 30, 7, "en", START)))
    decoder = Decoder(program.book.event_types)
    events: list[Any] = [decoder.decode_event(line) for line in lines]
    good = sorted((one for one in events if hasattr(one, "time")), key=lambda one: one.time)
    replay = Replay(program, io.BytesIO(), io.BytesIO())
    screen = io.StringIO()
    console = Console(file=screen, width=100)
    serve_live(console, "en", replay, good[:2500], names={}, pause=pause)
    return screen.getvalue()


def test_live_shows_each_message_with_what_made_it_go_out(program: Program) -> None:
    pauses: list[float] = []
    output = live(program, pauses.append)
    assert "→ sent " in output
    assert output.splitlines()[-1].startswith("That was the bank. ")
    assert max(pauses) <= PAUSE_S_MAX


def test_ctrl_c_ends_the_live_part_with_a_sentence(program: Program) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    assert (
        live(program, interrupted).splitlines()[-1] == "That was the bank. Messages shown live: 0."
    )


def test_reasons_are_told_in_words_and_new_ones_by_their_name() -> None:
    assert set(REASONS) <= {str(reason) for reason in Reason}
    assert reason_words("opted_out", "zh") == "客户已退订"
    assert reason_words("cap_sms_day", "en") == "enough for now (sms_day)"
    assert reason_words("something_new", "zh") == "something new"


def test_every_kind_of_event_of_the_bank_can_be_told(program: Program) -> None:
    decoder = Decoder(program.book.event_types)
    kinds = set()
    for line in as_lines(simulate_bank(Setting(40, 90, 7, "en", START))):
        event: Any = decoder.decode_event(line)
        kinds.add(orjson.loads(line)["type"])
        if hasattr(event, "time"):
            assert event_words(event, "en")
            assert event_words(event, "zh")
    assert kinds <= set(TELLERS)
