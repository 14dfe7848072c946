"""Rows of files in every dialect; a broken row costs only itself."""

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belfry.connectors.reasons import Reason, Rejected
from belfry.connectors.sources.model import Layout
from belfry.connectors.sources.rows import Rows, read_rows, row_again, rows_of

COMMA, SEMICOLON = Layout(), Layout(delimiter=";")


def rows(content: bytes, layout: Layout = COMMA) -> Rows:
    return rows_of(io.BytesIO(content), layout)


def cells(content: bytes, layout: Layout = COMMA) -> list[list[str] | Reason]:
    """The values of each row, or why there are none; blank lines are left out."""
    return [
        row.values.reason if isinstance(row.values, Rejected) else list(row.values.values())
        for row in rows(content, layout).rows
        if not row.is_blank
    ]


DIALECTS: list[tuple[str, bytes, Layout]] = [
    ("commas", b"a,b\n1,x y\n", Layout()),
    ("Berka: semicolons, quotes, CRLF", b'"a";"b"\r\n1;"x y"\r\n', SEMICOLON),
    ("tabs without quoting", b"a\tb\n1\tx y", Layout(delimiter="\t", quote="")),
    ("pipes and single quotes", b"a|b\n'1'|'x y'\n", Layout(delimiter="|", quote="'")),
    ("a byte order mark", b"\xef\xbb\xbfa,b\n1,x y\n", Layout()),
    ("blank lines", b"\n\na,b\n\n1,x y\n\n", Layout()),
    ("no header", b"1,x y\n", Layout(columns=("a", "b"))),
    ("UTF-16 of a spreadsheet", "a\tb\n1\tx y\n".encode("utf-16"),
     Layout(delimiter="\t", encoding="utf-16")),
    ("NDJSON", b'{"a": 1, "b": "x y"}\n', Layout(format="ndjson")),
    ("JSON", b'[{"a": 1,\n"b": "x y"}]', Layout(format="json")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "layout"), [row[1:] for row in DIALECTS], ids=[row[0] for row in DIALECTS]
)
def test_the_same_row_in_every_dialect(content: bytes, layout: Layout) -> None:
    found = [row.values for row in rows(content, layout).rows if not row.is_blank]
    assert found == [{"a": "1", "b": "x y"}]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("cp1250", "Dvořák"), ("latin-1", "Müller"), ("gb18030", "王小明"), ("utf-8", "王 Dvořák")],
)
def test_texts_are_read_in_the_encoding_declared(encoding: str, text: str) -> None:
    content = f"name\n{text}\n".encode(encoding)
    assert cells(content, Layout(encoding=encoding)) == [[text]]


def test_a_cell_may_hold_delimiters_quotes_and_lines() -> None:
    assert cells(b'a,b\n"1,""2""","x\ny"\n3,4\n') == [['1,"2"', "x\ny"], ["3", "4"]]


def test_a_row_over_lines_keeps_all_its_bytes_and_its_first_line() -> None:
    found = list(rows(b'a,b\n1,"x\ny"\n3,4\n').rows)
    assert (found[0].piece.raw, found[0].piece.line) == (b'1,"x\ny"', 2)
    assert found[1].piece.line == 4


BROKEN: list[tuple[str, bytes, Reason]] = [
    ("too few columns", b"1", Reason.BROKEN_ROW),
    ("too many columns", b"1,2,3", Reason.BROKEN_ROW),
    ("a quote inside", b'"1"x,2', Reason.BROKEN_ROW),
    ("a quote never closed", b'1,"2', Reason.BROKEN_ROW),
    ("not UTF-8", b"1,\xff", Reason.INVALID_UTF8),
    ("NUL", b"1,\x00", Reason.BAD_TEXT),
    ("a carriage return inside", b"1,2\r3", Reason.BROKEN_ROW),
    ("300 KB", b"1," + b"2" * 300_000, Reason.TOO_LARGE),
]


@pytest.mark.parametrize(
    ("bad", "reason"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN]
)
def test_a_broken_row_is_refused_and_the_next_is_read(bad: bytes, reason: Reason) -> None:
    content = b"a,b\n1,2\n" + bad + b"\n3,4\n5,6\n"
    assert cells(content) == [["1", "2"], reason, ["3", "4"], ["5", "6"]]


def test_an_unclosed_quote_does_not_swallow_the_quoted_rows_behind_it() -> None:
    content = b'"a";"b"\n1;"x\n2;"y"\n3;"z"\n'
    assert cells(content, SEMICOLON) == [Reason.BROKEN_ROW, ["2", "y"], ["3", "z"]]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"[1]", Reason.WRONG_TYPE),
        (b"{", Reason.BROKEN_JSON),
        (b'{"a": NaN}', Reason.BROKEN_JSON),
        (b'{"a": "\\u0000"}', Reason.BAD_TEXT),
        (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, Reason.TOO_DEEP),
    ],
)
def test_an_object_that_is_none_is_refused(raw: bytes, reason: Reason) -> None:
    content = raw + b'\n{"a": "1"}\n'
    assert cells(content, Layout(format="ndjson")) == [reason, ["1"]]


def test_nested_objects_are_columns_with_dots_and_money_keeps_its_digits() -> None:
    content = b'{"a": {"b": 0.10, "c": null}, "d": true, "e": [1], "f": 1e999999}'
    found = next(rows(content, Layout(format="ndjson")).rows).values
    assert found == {"a.b": "0.10", "a.c": "", "d": "true", "f": "1E+999999"}


def test_gzip_needs_no_word(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a\n1\n"))
    for found in read_rows(path, Layout()):
        assert found.columns == ("a",)
        assert [row.values for row in found.rows] == [{"a": "1"}]


def test_a_row_is_found_again_in_its_bytes() -> None:
    assert row_again(b'1;"x\ny"', SEMICOLON, ("a", "b")) == {"a": "1", "b": "x\ny"}
    assert row_again(b'{"a": 1}', Layout(format="json"), ()) == {"a": "1"}
    assert isinstance(row_again(b"1;2\n3;4", SEMICOLON, ("a", "b")), Rejected)


CELL = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), min_size=1, max_size=12
).filter(str.strip)


@given(st.lists(st.tuples(CELL, CELL), max_size=6), st.sampled_from(",;|\t"))
def test_what_a_csv_writer_writes_is_read_back(table: list[tuple[str, str]], sign: str) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=sign, lineterminator="\n").writerows([("a", "b"), *table])
    layout = Layout(delimiter=sign)
    assert cells(out.getvalue().encode(), layout) == [list(row) for row in table]


@given(st.binary(max_size=300))
def test_any_bytes_give_rows_and_every_line_belongs_to_one(content: bytes) -> None:
    found = list(rows(content, Layout(columns=("a", "b"))).rows)
    total = sum(row.piece.raw.count(b"\n") + 1 for row in found)
    assert total == content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
