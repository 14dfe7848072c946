"""Expressions in source mappings: what they may read, what they make of a row, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from belfry.connectors.codec import Decoder
from belfry.connectors.sources.importing import find_files, import_files
from belfry.connectors.sources.model import Source
from belfry.connectors.sources.read import read_source
from belfry.connectors.sources.report import Imported
from belfry.engine.event_types import STANDARD
from belfry.engine.faults import Fault

MAPPING = """\
source: core
time_zone: Europe/Prague
tables:
  rates: {match: rates.csv, key: currency}
files:
- match: bookings.csv
  decimal: ","
  values:
    gross: {column: total, as: number}
    fee: {column: fee, as: number, default: 0}
    booked: {column: day, format: DD.MM.YYYY}
    net: {expr: gross - fee}
  skip_when: row.kind == "TEST"
  events:
  - type: transaction
    only_when: {expr: gross != 0 and row.account != "0"}
    id: {expr: '"T-" + row.nr'}
    time: {expr: booked + 12h}
    fields:
      account_id: {expr: '"A" + row.account'}
      direction: {expr: 'net < 0 ? "debit" : "credit"'}
      amount: {expr: $abs(net)}
      purpose: {expr: 'direction == "debit" and amount > 1000 ? "large" : row.kind'}
"""
ROWS = """\
nr,day,account,total,fee,kind
1,02.03.2026,7,"-1500,50",,RENT
2,03.03.2026,7,"100,00","1,50",PAY
3,03.03.2026,7,"100,00",,TEST
4,03.03.2026,0,"100,00",,PAY
"""


def read(text: str) -> tuple[Source | None, list[Fault]]:
    return read_source("sources/core.yaml", text.encode(), STANDARD)


def run(folder: Path, mapping: str, rows: str, name: str = "bookings.csv") -> Imported:
    (folder / name).write_text(rows, encoding="utf-8")
    source, faults = read(mapping)
    assert source is not None, [str(fault) for fault in faults]
    found = import_files(source, find_files([folder]), Decoder(STANDARD))
    assert isinstance(found, Imported), found
    return found


def events(found: Imported) -> list[dict[str, Any]]:
    return [json.loads(line) for line in found.events]


def changed(*pairs: tuple[str, str]) -> str:
    text = MAPPING
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def test_fields_are_worked_out_of_columns_values_and_the_fields_above(tmp_path: Path) -> None:
    first, second = events(run(tmp_path, MAPPING, ROWS))
    assert first == {
        "type": "transaction", "source": "core", "id": "T-1", "account_id": "A7",
        "time": "2026-03-02T12:00:00+00:00", "direction": "debit", "amount": "1500.50",
        "purpose": "large",
    }  # fmt: skip
    assert (second["direction"], second["amount"], second["purpose"]) == ("credit", "98.50", "PAY")


def test_rows_are_taken_and_left_out_by_expressions(tmp_path: Path) -> None:
    found = run(tmp_path, MAPPING, ROWS)
    assert [one["id"] for one in events(found)] == ["T-1", "T-2"]
    (report,) = [one for one in found.reports if one.role == "events"]
    assert (report.rows, report.events, report.skipped, report.quarantined) == (4, 2, 2, 0)


SMALL = """\
source: core
time_zone: Europe/Prague
files:
- match: in.csv
  %s
  events:
  - type: account
    id: nr
    time: {column: day}
    fields:
      account_id: nr
      %s
"""


def one(folder: Path, fields: str, cell: str, of_file: str = "country: CZ") -> Any:
    """The event of one row whose column `x` holds `cell`, or why it was refused."""
    found = run(folder, SMALL % (of_file, fields), f"nr,day,x\n1,2026-03-02,{cell}\n", "in.csv")
    if found.quarantined:
        return found.quarantined[0].reason, found.quarantined[0].detail
    return json.loads(found.events[0])


def test_an_expression_over_a_missing_value_gives_no_value(tmp_path: Path) -> None:
    assert "product" not in one(tmp_path, 'product: {expr: row.x + "!"}', "")
    assert one(tmp_path, 'product: {expr: row.x ?? "none"}', "")["product"] == "none"
    assert one(tmp_path, 'product: {expr: row.x + "!", default: none}', "")["product"] == "none"
    assert one(tmp_path, 'product: {expr: row.x + "!"}', "a")["product"] == "a!"


def test_a_text_of_an_expression_is_treated_like_that_of_a_column(tmp_path: Path) -> None:
    spec = "product: {expr: row.x.as_upper, codes: {A: current}}"
    assert one(tmp_path, spec, "a")["product"] == "current"
    assert one(tmp_path, spec, "b")[0] == "unknown_word"
    spec = 'opened_on: {expr: row.x + ".2026", format: DD.MM.YYYY}'
    assert one(tmp_path, spec, "24.12")["opened_on"] == "2026-12-24"


def test_dates_and_instants_of_expressions_are_written_as_such(tmp_path: Path) -> None:
    of_file = "values: {day: {column: x, format: DD.MM.YYYY}}"
    found = one(tmp_path, "opened_on: {expr: day + 30d}", "24.12.2026", of_file)
    assert found["opened_on"] == "2027-01-23"
    assert one(tmp_path, "opened_on: {expr: day + 30d}", "24.12.9999", of_file) == (
        "bad_number", "account.opened_on: expected a result that can be computed",
    )  # fmt: skip


def test_a_date_becomes_an_instant_at_the_time_of_day_of_the_file(tmp_path: Path) -> None:
    mapping = SMALL.replace("time: {column: day}", "time: {expr: booked, at: '18:30'}")
    of_file = "values: {booked: {column: x, as: date}}"
    rows = "nr,day,x\n1,2026-03-02,2026-07-01\n"
    found = run(tmp_path, mapping % (of_file, "product: nr"), rows, "in.csv")
    assert events(found)[0]["time"] == "2026-07-01T18:30:00+02:00"


def test_a_wrong_value_that_nobody_asks_for_refuses_nothing(tmp_path: Path) -> None:
    of_file = "values: {sum: {column: x, as: number}}"
    spec = """low_balance_limit: {expr: 'row.x != "0" ? sum : 5'}"""
    assert one(tmp_path, "product: nr", "abc", of_file)["product"] == "1"
    assert one(tmp_path, spec, "abc", of_file)[0] == "bad_number"
    lenient = "values: {sum: {column: x, as: number, invalid: leave_out}}"
    assert one(tmp_path, spec, "abc", lenient).get("low_balance_limit") is None


def test_parts_of_an_object_above_can_be_read(tmp_path: Path) -> None:
    mapping = changed(
        ("direction: {expr", "counterparty: {object: {name: kind}}\n      direction: {expr"),
        ('direction == "debit" and amount > 1000 ? "large" : row.kind',
         'counterparty.name + "!"'),
    )  # fmt: skip
    assert events(run(tmp_path, mapping, ROWS))[0]["purpose"] == "RENT!"


def test_nested_json_is_read_by_its_path(tmp_path: Path) -> None:
    mapping = (SMALL % ("format: ndjson", "product: {expr: row.a.b.as_lower}")).replace(
        "in.csv", "in.json"
    )
    rows = '{"nr": "1", "day": "2026-03-02", "a": {"b": "XY"}}\n{"nr": "2", "day": "2026-03-02"}\n'
    first, second = events(run(tmp_path, mapping, rows, "in.json"))
    assert first["product"] == "xy"
    assert "product" not in second


def test_a_column_that_the_file_lacks_is_found_at_its_name(tmp_path: Path) -> None:
    (tmp_path / "bookings.csv").write_text(ROWS.replace("kind", "sort"), encoding="utf-8")
    source, _ = read(MAPPING)
    assert source is not None
    (fault,) = import_files(source, find_files([tmp_path]), Decoder(STANDARD))
    assert isinstance(fault, Fault)
    assert (fault.code, str(fault.place)) == ("B701", "sources/core.yaml:13:14")


FAULTS = [
    # what is replaced, by what; code, line:column, and what the fault says
    ("gross - fee", "gross - feee", "B311", "12:25", "did you mean 'fee'?"),
    ("gross - fee", "total - fee", "B308", "12:17", "write `row.total`"),
    ("gross - fee", 'gross - "1"', "B312", "12:17", "does not go with"),
    ("$abs(net)", "$abs(amount)", "B308", "22:27", "further down"),
    ("$abs(net)", "row.total", "", "", ""),  # a text is read as the column's would be
    ("$abs(net)", "booked", "B306", "22:22", "'amount' is a number, this expression gives a date"),
    ("$abs(net)", "$abs(net), scale: 2", "B212", "22:33", "'scale' goes with a text"),
    ("$abs(net)", "$abs(net), column: x", "B704", "22:15", "column and expr"),
    ('row.kind == "TEST"', "row.kind", "B313", "13:14", "a boolean is expected"),
    ('row.kind == "TEST"', "{expr: gross > 5, in: [a]}", "B212", "13:32", "'in' does not go"),
    ('row.kind == "TEST"', "{in: [a]}", "B202", "13:14", "names a column"),
    ('row.kind == "TEST"', "gross > 5 and gross < 3", "B316", "13:14", "never be true"),
    ("gross != 0 and", "amount != 0 and", "B308", "16:23", "further down"),
    ("gross - fee", "lists.atm", "B311", "12:17", "unknown name"),
    ("gross - fee", "gross ** 99", "B314", "12:23", "powers are refused"),
    ("$abs(net)", "$now", "B314", "22:22", "$now"),
    ("$abs(net)", "'[x for x in row]'", "B314", "22:26", "comprehension"),
    ('"A" + row.account', 'row.account =~ "(a+)+$" ? "a" : "b"', "", "", ""),  # RE2: linear
    ('"A" + row.account', 'row.account =~ "(?=a)" ? "a" : "b"', "B315", "20:42", "RE2"),
    ("net: {expr", "row: {expr", "B214", "12:5", "already means something"),
    ("net: {expr: gross - fee}", "net: {each: rates, key: kind, item: {}}", "B212", "12:11",
     "no single value"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "place", "says"), FAULTS)
def test_what_is_wrong_in_a_formula_is_found_where_it_stands(
    old: str, new: str, code: str, place: str, says: str
) -> None:
    assert read(MAPPING)[1] == []
    _, faults = read(changed((old, new)))
    if not code:
        assert faults == []
        return
    fault = next(one for one in faults if one.code == code)
    assert str(fault.place) == f"sources/core.yaml:{place}"
    assert says in f"{fault.message} {fault.hint} {fault.expected}"


def test_a_mapping_with_any_fault_is_no_mapping() -> None:
    source, faults = read(changed(("gross - fee", "gross - feee")))
    assert (source, len(faults) > 0) == (None, True)
