"""What can be wrong in a source mapping is found at once, each with its place and a remedy."""

from pathlib import Path

import pytest

from belfry.connectors.sources.keys import CODES, SECTIONS
from belfry.connectors.sources.model import As, Source
from belfry.connectors.sources.read import read_source
from belfry.engine.event_types import STANDARD
from belfry.engine.faults import Fault
from belfry.engine.rulebook.codes import CODES as RULEBOOK_CODES

GOOD = """\
source: core
time_zone: Europe/Prague
codes:
  way: {IN: credit, OUT: debit}
tables:
  people: {match: people.csv, key: id}
files:
- match: bookings*.csv
  events:
  - type: transaction
    id: "T-{nr}"
    time: day
    fields:
      account_id: "A{acc}"
      amount: amount
      direction: {column: way, codes: way}
      counterparty: {object: {name: {table: people, key: acc, take: name}}}
"""


def read(text: str) -> tuple[Source | None, list[Fault]]:
    return read_source("sources/core.yaml", text.encode(), STANDARD)


def test_a_good_mapping_has_no_faults_and_knows_what_it_needs() -> None:
    source, faults = read(GOOD)
    assert faults == []
    assert source is not None
    assert set(source.files[0].needs) == {"nr", "day", "acc", "amount", "way"}
    assert set(source.tables["people"].needs) == {"id", "name"}
    assert source.files[0].tables == {"people"}


def test_what_a_value_becomes_is_what_its_field_is() -> None:
    source, _ = read(GOOD)
    assert source is not None
    fields = source.files[0].events[0].fields
    assert [fields[one].as_ for one in ("id", "time", "amount")] == [
        As.TEXT,
        As.INSTANT,
        As.NUMBER,
    ]


# What is replaced, by what; then the code and line:column of the fault, and what it says.
FAULTS: list[tuple[str, str, str, str, str]] = [
    ("source: core", "sauce: core", "B201", "1:1", "did you mean 'source'?"),
    ("source: core\n", "", "B202", "1:1", "source"),
    ("Europe/Prague", "Europe/Plague", "B403", "2:12", "Europe/Plague"),
    ("time_zone: Europe/Prague\n", "", "B202", "11:11", "time_zone"),
    ("type: transaction", "type: transactoin", "B301", "10:11", "did you mean 'transaction'?"),
    ("type: transaction", "type: timer", "B301", "10:11", "timer"),
    ("  - type: transaction\n    id", "  - id", "B202", "10:5", "type"),
    ("amount: amount", "ammount: amount", "B705", "15:7", "did you mean 'amount'?"),
    ("codes: way", "codes: ways", "B702", "16:39", "did you mean 'way'?"),
    ("table: people", "table: poeple", "B703", "17:45", "did you mean 'people'?"),
    (", take: name", "", "B202", "17:37", "take"),
    ("time: day", "time: {column: day, template: x}", "B704", "12:11", "column and template"),
    ("time: day", "time: {as: instant}", "B704", "12:11", "nothing"),
    ("time: day", "time: {column: day, format: YYMMDD}", "B706", "12:33", "years_from"),
    ("time: day", "time: {column: day, at: noon}", "B207", "12:29", "noon"),
    ("time: day", "time: {column: day, clean: [scrub]}", "B209", "12:33", "scrub"),
    ("{name: {table", "{nam: {table", "B705", "17:31", "did you mean 'name'?"),
    ("{IN: credit, OUT: debit}", "[IN, OUT]", "B203", "4:8", "code list"),
    ("- match: b", "- encoding: utf-9\n  match: b", "B707", "8:13", "did you mean 'utf-8'?"),
    ("- match: b", "- delimiter: ';;'\n  match: b", "B203", "8:14", "one character"),
    ("- match: b", "- country: XX\n  match: b", "B404", "8:12", "XX"),
    ("- match: b", "- skip_when: {column: way}\n  match: b", "B212", "8:14", "is_empty"),
    ("files:", "files: &all", "B104", "7:8", "anchor"),
    ("files:", "source: again\nfiles:", "B110", "7:1", "twice"),
]


@pytest.mark.parametrize(("before", "after", "code", "at", "said"), FAULTS)
def test_a_fault_has_its_code_place_and_remedy(
    before: str, after: str, code: str, at: str, said: str
) -> None:
    assert before in GOOD
    source, faults = read(GOOD.replace(before, after, 1))
    assert source is None
    fault = faults[0]
    assert (fault.code, str(fault.place)) == (code, f"sources/core.yaml:{at}"), faults
    assert said in f"{fault.message} {fault.expected} {fault.hint}"
    assert code in CODES | RULEBOOK_CODES


def test_all_faults_are_found_at_once_in_file_order() -> None:
    text = GOOD.replace("codes: way", "codes: ways").replace("amount: amount", "amuont: amount")
    _, faults = read(text.replace("Europe/Prague", "Prague"))
    assert [fault.code for fault in faults] == ["B403", "B202", "B705", "B702"]


@pytest.mark.parametrize("text", ["", "~", "- a", "text", "[" * 50, "\t", "source: &a [*a]"])
def test_what_is_no_mapping_is_a_fault_and_no_exception(text: str) -> None:
    source, faults = read(text)
    assert source is None
    assert faults


def test_every_key_of_a_mapping_is_documented() -> None:
    assert all(key.doc for section in SECTIONS for key in section.keys)


def test_the_mappings_that_ship_have_no_faults() -> None:
    from belfry.cli.sources import load_source

    folder = Path(__file__).parents[3] / "rules" / "sources"
    for path in folder.glob("*.yaml"):
        source, _ = load_source(path, None)
        assert source.files
