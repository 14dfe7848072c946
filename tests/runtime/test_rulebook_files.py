"""A rulebook folder on disk, and the cache that makes its second start quick."""

import dataclasses
import os
import pickle
from pathlib import Path

import pytest

from belfry.engine.rulebook.yaml_nodes import BYTES_MAX
from belfry.runtime.rulebook_files import cache_folder, read_files, read_rulebook

RULE = "rule: x\nevent: branch_visit\nwhen: minutes > 5\ntask: {role: desk}\n"
EVENTS = "branch_visit: {fields: {minutes: number}}\n"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("BELFRY_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    (folder / "care").mkdir(parents=True)
    (folder / "events").mkdir()
    (folder / "care" / "x.yaml").write_text(RULE, encoding="utf-8")
    (folder / "events" / "ours.yaml").write_text(EVENTS, encoding="utf-8")
    return folder


def kept(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.rulebook"))


def test_what_comes_from_the_cache_is_what_was_read(rules: Path, cache: Path) -> None:
    first, faults = read_rulebook(rules)
    assert first is not None
    assert len(kept(cache)) == 1
    second, again = read_rulebook(rules)
    assert second is not None
    assert second.rules == first.rules
    assert (second.hash, second.policies, again) == (first.hash, first.policies, faults)
    minutes = second.event_types.structs["branch_visit"](id="1", time=None, minutes=7)
    assert minutes.minutes == 7


def test_the_second_reading_does_come_from_the_cache(rules: Path, cache: Path) -> None:
    book, _ = read_rulebook(rules)
    assert book is not None
    _, declared = pickle.loads(kept(cache)[0].read_bytes())
    marked = dataclasses.replace(book, rules={}, event_types=None)
    kept(cache)[0].write_bytes(pickle.dumps((marked, declared)))
    again, _ = read_rulebook(rules)
    assert again is not None
    assert again.rules == {}


def test_any_change_of_a_file_is_read_anew(rules: Path, cache: Path) -> None:
    first, _ = read_rulebook(rules)
    (rules / "care" / "x.yaml").write_text(RULE.replace("> 5", "> 6"), encoding="utf-8")
    second, _ = read_rulebook(rules)
    assert first is not None
    assert second is not None
    assert first.hash != second.hash
    assert len(kept(cache)) == 2


@pytest.mark.parametrize(
    "content", [b"", b"\x80", b"nonsense", pickle.dumps(1), pickle.dumps((1, 2))]
)
def test_a_broken_cache_is_ignored_and_written_anew(
    rules: Path, cache: Path, content: bytes
) -> None:
    read_rulebook(rules)
    whole = kept(cache)[0].read_bytes()
    kept(cache)[0].write_bytes(content)
    book, _ = read_rulebook(rules)
    assert book is not None
    assert len(kept(cache)[0].read_bytes()) == len(whole)


def test_half_a_cache_file_is_no_rulebook(rules: Path, cache: Path) -> None:
    read_rulebook(rules)
    whole = kept(cache)[0].read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 40)):
        kept(cache)[0].write_bytes(whole[:length])
        assert read_rulebook(rules)[0] is not None


def test_a_rulebook_with_errors_is_not_kept(rules: Path, cache: Path) -> None:
    (rules / "care" / "x.yaml").write_text(RULE.replace("when", "whn"), encoding="utf-8")
    book, faults = read_rulebook(rules)
    assert book is None
    assert faults
    assert kept(cache) == []


def test_only_this_user_can_write_the_cache(rules: Path, cache: Path) -> None:
    read_rulebook(rules)
    assert cache.stat().st_mode & 0o777 == 0o700
    assert kept(cache)[0].stat().st_mode & 0o077 == 0


def test_a_cache_that_others_can_write_is_done_without(rules: Path, cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o777)
    assert cache_folder() is None
    assert read_rulebook(rules)[0] is not None
    assert kept(cache) == []


def test_a_cache_that_cannot_be_made_is_done_without(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    monkeypatch.setenv("BELFRY_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert cache_folder() is None
    assert read_rulebook(rules)[0] is not None


def test_the_cache_is_where_the_desktop_convention_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BELFRY_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "belfry"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "belfry"


def test_hidden_files_and_foreign_kinds_of_file_are_left_out(rules: Path) -> None:
    (rules / ".git").mkdir()
    (rules / ".git" / "x.yaml").write_text("a: 1", encoding="utf-8")
    (rules / ".draft.yaml").write_text("a: 1", encoding="utf-8")
    (rules / "README.md").write_text("a", encoding="utf-8")
    assert sorted(read_files(rules)) == ["care/x.yaml", "events/ours.yaml"]


def test_links_that_lead_out_of_the_rulebook_are_not_followed(rules: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.mkdir()
    (outside / "s.yaml").write_text("a: 1", encoding="utf-8")
    (rules / "out").symlink_to(outside)
    (rules / "s.yaml").symlink_to(outside / "s.yaml")
    (rules / "loop").symlink_to(rules)
    (rules / "within.yaml").symlink_to(rules / "care" / "x.yaml")
    found = sorted(read_files(rules))
    assert found == ["care/x.yaml", "events/ours.yaml", "within.yaml"]


def test_a_file_that_is_too_large_is_a_fault_and_is_not_read_whole(rules: Path) -> None:
    with (rules / "big.yaml").open("wb") as file:
        os.truncate(file.fileno(), 64 * BYTES_MAX)
    assert len(read_files(rules)["big.yaml"]) == BYTES_MAX + 1
    book, faults = read_rulebook(rules, cache=False)
    assert book is None
    assert [fault.code for fault in faults if fault.place.file == "big.yaml"] == ["B102"]


def test_a_folder_that_is_not_there_is_an_error_of_the_environment(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing"):
        read_rulebook(tmp_path / "nothing")
