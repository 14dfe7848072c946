"""Event files: whatever stands in a line, the next one is read and nothing is lost."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from belfry.connectors.codec import Decoder
from belfry.connectors.lines import KEPT_BYTES_MAX
from belfry.connectors.ndjson import QuarantineRecord, read_events
from belfry.connectors.reasons import Reason
from belfry.engine.event_types import STANDARD
from belfry.engine.events import Event

DECODER = Decoder(STANDARD)


def login(number: int) -> bytes:
    return json.dumps(
        {"type": "login", "id": f"L-{number}", "time": "2026-01-01T00:00:00Z", "customer_id": "C1"}
    ).encode()


def read(path: Path) -> list[Any]:
    return list(read_events([path], DECODER, source="web"))


def outline(found: list[Any]) -> list[str]:
    """Ids of events, reasons of the rest."""
    return [one.id if isinstance(one, Event) else str(one.reason) for one in found]


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


BAD_LINES = [
    (b"{broken", Reason.BROKEN_JSON),
    (b'{"type":"login"}', Reason.MISSING_FIELD),
    (b"\xff\xfe{}", Reason.INVALID_UTF8),
    (b'{"x":' * 50_000 + b"1" + b"}" * 50_000, Reason.TOO_LARGE),
    (b'{"x":' * 30_000 + b"1" + b"}" * 30_000, Reason.TOO_DEEP),
    (b"x" * 10_000_000, Reason.TOO_LARGE),
    (b"\0" * 100, Reason.BROKEN_JSON),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_LINES)
def test_a_bad_line_is_kept_with_its_bytes_and_the_next_is_read(
    tmp_path: Path, bad: bytes, reason: Reason
) -> None:
    path = written(tmp_path, "e.ndjson", b"\n".join([login(1), bad, login(2)]) + b"\n")
    found = read(path)
    assert outline(found) == ["L-1", reason, "L-2"]
    kept = found[1]
    assert isinstance(kept, QuarantineRecord)
    assert (kept.file, kept.line, kept.offset) == (str(path), 2, len(login(1)) + 1)
    assert kept.raw == bad[:KEPT_BYTES_MAX]
    assert kept.source == "web"


def test_a_line_of_10_mb_keeps_its_beginning_its_length_and_its_digest(tmp_path: Path) -> None:
    bad = b'{"x":"' + b"y" * 10_000_000 + b'"}'
    found = read(written(tmp_path, "e.ndjson", bad + b"\n" + login(1)))
    assert outline(found) == ["too_large", "L-1"]
    kept = found[0]
    assert len(kept.raw) == KEPT_BYTES_MAX
    assert (kept.is_whole, kept.sha256) == (False, hashlib.sha256(bad + b"\n").hexdigest())
    assert kept.length >= len(bad)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [b"", b"\n", b"\n\n  \n"])
def test_lines_end_as_they_like(tmp_path: Path, end: bytes, last: bytes) -> None:
    path = written(tmp_path, "e.jsonl", end.join([login(1), b"", login(2)]) + last)
    assert outline(read(path)) == ["L-1", "L-2"]


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = written(tmp_path, "e.ndjson", b"\xef\xbb\xbf" + login(1))
    assert outline(read(path)) == ["L-1"]


@pytest.mark.parametrize("name", ["e.ndjson.gz", "e.ndjson"])
def test_gzip_is_known_by_its_content(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name, gzip.compress(login(1) + b"\n" + login(2)))
    assert outline(read(path)) == ["L-1", "L-2"]


def test_what_comes_before_the_break_of_a_gzip_file_counts(tmp_path: Path) -> None:
    whole = gzip.compress(b"\n".join(login(n) for n in range(5000)))
    found = read(written(tmp_path, "e.ndjson.gz", whole[: len(whole) // 2]))
    assert len(found) > 100
    assert all(isinstance(one, Event) for one in found[:-1])
    assert found[-1].reason == Reason.BROKEN_FILE


def test_files_follow_each_other_in_the_order_given(tmp_path: Path) -> None:
    second = written(tmp_path, "a.ndjson", login(2))
    first = written(tmp_path, "b.ndjson", login(1))
    assert outline(list(read_events([first, second], DECODER))) == ["L-1", "L-2"]


# --- JSON files -----------------------------------------------------------------------------------
JSON_FILES: list[tuple[str, bytes, list[str]]] = [
    ("an array", b"[" + login(1) + b"," + login(2) + b"]", ["L-1", "L-2"]),
    ("an array over lines", b"[\n  " + login(1) + b",\n  " + login(2) + b"\n]\n", ["L-1", "L-2"]),
    ("an empty array", b" [ ] ", []),
    ("one object over lines", login(1).replace(b",", b",\n"), ["L-1"]),
    ("objects in a row", login(1) + b"\n" + login(2), ["L-1", "L-2"]),
    ("a bad element", b"[" + login(1) + b",5," + login(2) + b"]", ["L-1", "wrong_type", "L-2"]),
    ("broken inside", b"[" + login(1) + b",{]}," + login(2) + b"]", ["L-1", "broken_json", "L-2"]),
    ("never closed", b"[" + login(1) + b"," + login(2), ["L-1", "L-2"]),
    ("cut in an element", b"[" + login(1) + b"," + login(2)[:30], ["L-1", "broken_json"]),
    ("brackets in texts", b"[" + login(1).replace(b"C1", b"},{[") + b"]", ["L-1"]),
    ("more behind it", b"[" + login(1) + b"] oops", ["L-1", "broken_json"]),
    (
        "not UTF-8",
        b"[" + login(1) + b',{"type":"\xff"},' + login(2) + b"]",
        ["L-1", "invalid_utf8", "L-2"],
    ),
]


@pytest.mark.parametrize(
    ("content", "expected"), [row[1:] for row in JSON_FILES], ids=[row[0] for row in JSON_FILES]
)
def test_a_json_file_gives_its_elements_one_by_one(
    tmp_path: Path, content: bytes, expected: list[str]
) -> None:
    assert outline(read(written(tmp_path, "e.json", content))) == expected


def test_an_element_keeps_its_own_bytes_and_line(tmp_path: Path) -> None:
    content = b"[\n" + login(1) + b',\n{"type": "x"}\n]'
    kept = read(written(tmp_path, "e.json", content))[1]
    assert (kept.raw, kept.line) == (b'{"type": "x"}', 3)
    assert content[kept.offset : kept.offset + kept.length] == kept.raw


# --- properties -----------------------------------------------------------------------------------
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(lines=st.lists(st.binary(max_size=60).filter(lambda raw: b"\n" not in raw), max_size=8))
def test_every_line_that_is_not_blank_comes_out_once(tmp_path: Path, lines: list[bytes]) -> None:
    path = written(tmp_path, "any.ndjson", b"\n".join([login(0), *lines]))
    found = read(path)
    if path.read_bytes()[:2] != b"\x1f\x8b":
        assert len(found) == 1 + sum(bool(raw.removesuffix(b"\r").strip()) for raw in lines)
    assert outline(found)[0] == "L-0"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(content=st.binary(max_size=300))
@pytest.mark.parametrize("name", ["any.json", "any.ndjson.gz"])
def test_any_file_is_read_without_an_exception(tmp_path: Path, name: str, content: bytes) -> None:
    for one in read(written(tmp_path, name, content)):
        assert isinstance(one, Event | QuarantineRecord)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(texts=st.lists(st.text(max_size=20), max_size=6))
def test_an_array_of_n_elements_is_n_pieces(tmp_path: Path, texts: list[str]) -> None:
    content = json.dumps([{"x": [text, {text: text}]} for text in texts]).encode()
    assert len(read(written(tmp_path, "any.json", content))) == len(texts)
