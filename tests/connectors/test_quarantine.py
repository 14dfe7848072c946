"""Quarantine files: what goes in comes out, and nothing else changes them."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from belfry.connectors.lines import KEPT_BYTES_MAX
from belfry.connectors.quarantine import (
    QuarantineRecord,
    QuarantineUnreadable,
    read_quarantine,
    renew_quarantine,
    retry,
    write_quarantine,
)
from belfry.connectors.reasons import Reason, Rejected

BROKEN = Rejected(Reason.BROKEN_JSON, "not JSON at byte 3")


def record(raw: bytes, file: str = "a.csv") -> QuarantineRecord:
    made = QuarantineRecord.of(BROKEN, raw, "core")
    return QuarantineRecord(
        reason=made.reason, detail=made.detail, source="core", file=file, line=1, raw=made.raw,
        length=made.length, sha256=made.sha256,
    )  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raws=st.lists(st.binary(max_size=200)))
def test_bytes_survive_the_file(tmp_path: Path, raws: list[bytes]) -> None:
    path = tmp_path / "q.ndjson"
    records = [record(raw) for raw in raws]
    write_quarantine(path, records)
    assert list(read_quarantine(path)) == records


def test_long_bytes_are_cut_and_say_so() -> None:
    made = QuarantineRecord.of(BROKEN, b"x" * (KEPT_BYTES_MAX + 1))
    assert (made.is_whole, len(made.raw), made.length) == (
        False,
        KEPT_BYTES_MAX,
        KEPT_BYTES_MAX + 1,
    )
    assert len(made.sha256) == 64


def test_a_newer_import_replaces_what_was_said_of_the_same_file_only(tmp_path: Path) -> None:
    path = tmp_path / "q.ndjson"
    renew_quarantine(path, [record(b"1"), record(b"2", "b.csv")], files={("core", "a.csv")})
    renew_quarantine(path, [record(b"3")], files={("core", "a.csv")})
    assert [one.raw for one in read_quarantine(path)] == [b"2", b"3"]
    renew_quarantine(path, [], files={("core", "a.csv"), ("core", "b.csv")})
    assert list(read_quarantine(path)) == []


def test_no_file_is_made_for_nothing(tmp_path: Path) -> None:
    renew_quarantine(tmp_path / "q.ndjson", [], files={("core", "a.csv")})
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_quarantine_is_named_with_its_line_and_left_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b'\n{"type": "login"}\n')
    with pytest.raises(QuarantineUnreadable, match=r"events\.ndjson:2"):
        renew_quarantine(path, [record(b"1")], files=set())
    assert path.read_bytes() == b'\n{"type": "login"}\n'


@given(st.lists(st.binary(max_size=3)))
def test_a_retry_loses_nothing(raws: list[bytes]) -> None:
    result = retry(
        [record(raw) for raw in raws],
        lambda one: [one.raw] if len(one.raw) % 2 else Rejected(Reason.NO_SUBJECT, "nobody"),
    )
    assert result.good + len(result.kept) == len(raws)
    assert result.events == [raw for raw in raws if len(raw) % 2]
    assert {one.reason for one in result.kept} <= {Reason.NO_SUBJECT}


def test_a_record_that_was_cut_is_never_tried_again() -> None:
    cut = QuarantineRecord.of(BROKEN, b"x" * (KEPT_BYTES_MAX + 1))
    assert retry([cut], lambda one: [one.raw]).kept == [cut]
