"""Files by their mapping into events: every row is accounted for, in order of time."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from belfry.connectors.codec import Decoder
from belfry.connectors.reasons import Reason
from belfry.connectors.sources.importing import again, find_files, import_files
from belfry.connectors.sources.model import Source
from belfry.connectors.sources.read import read_source
from belfry.connectors.sources.report import Imported
from belfry.engine.event_types import STANDARD

DECODER = Decoder(STANDARD)
HEAD = """\
source: core
time_zone: Europe/Prague
country: CZ
tables:
  people: {match: people.csv, key: id}
  holders: {match: holders.csv, key: account}
files:
- match: in*.csv
  events:
  - type: %s
    id: "E-{id}"
    time: day
    fields:
"""


def source_of(kind: str, fields: str, rest: str = "") -> Source:
    indented = "".join(f"      {line}\n" for line in fields.strip().splitlines())
    text = HEAD % kind + indented + rest
    source, faults = read_source("core.yaml", text.encode(), STANDARD)
    assert source is not None, [str(fault) for fault in faults]
    return source


def run(folder: Path, source: Source, **files: str) -> Imported:
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content)
    found = import_files(source, find_files([folder]), DECODER)
    assert isinstance(found, Imported), found
    return found


def events(found: Imported) -> list[dict[str, Any]]:
    return [json.loads(line) for line in found.events]


def one_value(folder: Path, spec: str, text: str, kind: str = "customer") -> Any:
    """What a field becomes of a cell's text; the reason if the row is refused."""
    source = source_of(kind, f"customer_id: C{{id}}\n{spec}")
    found = run(folder, source, **{"in": f"id|day|x\n1|2026-01-01|{text}\n".replace("|", ",")})
    if found.quarantined:
        return Reason(found.quarantined[0].reason)
    return events(found)[0].get(spec.partition(":")[0], "absent")


VALUES: list[tuple[str, str, Any]] = [
    ("name: x", " Jana ", "Jana"),
    ("name: x", "", "absent"),
    ("name: {column: x, when_empty: remove}", "", None),
    ("name: {column: x, default: nobody}", "", "nobody"),
    ("name: {column: [x, id]}", "", "1"),
    ("name: {column: x, empty: ['', '-']}", "-", "absent"),
    ("name: {constant: bank}", "x", "bank"),
    ("name: 'Mrs {x} of {id}'", "Jana", "Mrs Jana of 1"),
    ("name: 'Mrs {x}'", "", "absent"),
    ("name: {column: x, as: name}", "Ja\u200bna", "Jana"),
    ("name: {column: x, clean: [upper]}", "jana", "JANA"),
    ("name: {column: x, characters: 2-3}", "abcd", "bc"),
    ("gender: {column: x, characters: 3, codes: {'5': female, '0': male}}", "705213", "female"),
    ("gender: {column: x, codes: {F: female}}", "X", Reason.UNKNOWN_WORD),
    ("gender: {column: x, codes: {words: {F: female}, unknown: keep}}", "X", "X"),
    ("gender: {column: x, codes: {words: {F: female}, unknown: leave_out}}", "X", "absent"),
    ("gender: {column: x, codes: {F: female, U: }}", "U", "absent"),
    ("income: x", "1000.50", "1000.50"),
    ("income: x", "much", Reason.BAD_NUMBER),
    ("income: {column: x, invalid: leave_out}", "much", "absent"),
    ("income: {column: x, scale: 0.01}", "1250", "12.50"),
    ("income: x", "1.23456789", Reason.BAD_NUMBER),
    ("open_complaints: x", "3", 3),
    ("salary_expected: x", "Y", True),
    ("salary_expected: {column: x, codes: {A: 'true'}}", "A", True),
    ("birth_date: x", "1970-12-13", "1970-12-13"),
    ("birth_date: x", "1970-02-30", Reason.BAD_TIME),
    ("birth_date: {column: x, format: DD.MM.YYYY}", "13.12.1970", "1970-12-13"),
    ("city: {table: people, key: x, take: town}", "7", "Brno"),
    ("city: {table: people, key: x, take: '{town} ({id})'}", "7", "Brno (7)"),
    ("city: {table: people, key: x, take: town}", "8", Reason.LOOKUP_FAILED),
    ("city: {table: people, key: x, take: town}", "9", Reason.LOOKUP_FAILED),
    ("city: {table: people, key: x, take: town, invalid: leave_out}", "8", "absent"),
    ("city: {table: people, key: x, take: town}", "", "absent"),
]


@pytest.mark.parametrize(("spec", "text", "expected"), VALUES)
def test_a_field_comes_from_where_the_mapping_says(
    tmp_path: Path, spec: str, text: str, expected: Any
) -> None:
    (tmp_path / "people.csv").write_text("id,town\n7,Brno\n9,Praha\n9,Plzen\n")
    assert one_value(tmp_path, spec, text) == expected


def test_a_phone_becomes_a_contact_in_e164(tmp_path: Path) -> None:
    source = source_of(
        "contact",
        "customer_id: C{id}\nkind: {constant: mobile}\naddress: {column: x, as: phone}",
    )
    found = run(tmp_path, source, **{"in": "id,day,x\n1,2026-01-01,602 123 456\n2,2026-01-01,12\n"})
    assert [one["address"] for one in events(found)] == ["+420602123456"]
    assert [one.reason for one in found.quarantined] == [Reason.BAD_TEXT]


def test_holders_come_from_another_file_in_its_order(tmp_path: Path) -> None:
    source = source_of(
        "account",
        "account_id: A{id}\nholders: {each: holders, key: id, item: "
        "{customer_id: 'C{person}', role: {column: role, codes: {O: owner, D: authorised}}}}",
    )
    found = run(
        tmp_path,
        source,
        holders="account,person,role\n1,10,O\n2,11,O\n1,12,D\n3,13,O\n",
        **{"in": "id,day\n1,2026-01-01\n2,2026-01-01\n9,2026-01-01\n"},
    )
    assert [one["holders"] for one in events(found)] == [
        [
            {"customer_id": "C10", "role": "owner"},
            {"customer_id": "C12", "role": "authorised"},
        ],
        [{"customer_id": "C11", "role": "owner"}],
    ]
    assert [one.reason for one in found.quarantined] == [Reason.LOOKUP_FAILED]
    table = next(one for one in found.reports if one.role == "table")
    assert (table.rows, table.unused) == (4, 1)


def test_events_are_in_order_of_time_and_equal_times_in_order_of_input(tmp_path: Path) -> None:
    source = source_of("login", "customer_id: C{id}")
    found = run(
        tmp_path,
        source,
        in1="id,day\n1,2026-01-02\n2,2026-01-01\n",
        in2="id,day\n3,2026-01-02\n4,2026-01-01\n",
    )
    assert [one["id"] for one in events(found)] == ["E-2", "E-4", "E-1", "E-3"]
    assert found.as_dict()["time"]["first"].isoformat() == "2026-01-01T00:00:00+01:00"


def test_rows_are_left_out_by_conditions_and_counted(tmp_path: Path) -> None:
    rest = (
        "  only_when: {column: state, in: [A, B]}\n  skip_when: {column: note, is_empty: false}\n"
    )
    source = source_of("login", "customer_id: C{id}", rest)
    found = run(
        tmp_path,
        source,
        **{
            "in": "id,day,state,note\n1,2026-01-01,A,\n2,2026-01-01,C,\n3,2026-01-01,B,x\n"
            "4,2026-01-01,B,\n\n"
        },
    )
    assert [one["id"] for one in events(found)] == ["E-1", "E-4"]
    report = found.reports[0]
    assert (report.rows, report.events, report.skipped, report.quarantined) == (5, 2, 3, 0)


TWO_EVENTS = """\
source: core
time_zone: UTC
files:
- match: in.csv
  events:
  - {type: customer, id: "C-{id}", time: day, fields: {customer_id: "C{id}"}}
  - type: contact
    id: "M-{id}"
    time: day
    only_when: {column: mail, is_empty: false}
    fields: {customer_id: "C{id}", kind: {constant: email}, address: mail, verified: ok}
"""


def test_a_row_may_be_several_events_all_or_none(tmp_path: Path) -> None:
    source, _ = read_source("core.yaml", TWO_EVENTS.encode(), STANDARD)
    assert source is not None
    content = "id,day,mail,ok\n1,2026-01-01,a@b,yes\n2,2026-01-01,,\n3,2026-01-01,c@d,perhaps\n"
    found = run(tmp_path, source, **{"in": content})
    assert [one["id"] for one in events(found)] == ["C-1", "M-1", "C-2"]
    kept = found.quarantined[0]
    assert (kept.line, kept.raw) == (4, b"3,2026-01-01,c@d,perhaps")
    assert kept.detail.startswith("contact.verified:")
    assert "perhaps" not in kept.detail


def test_a_column_that_the_file_lacks_is_a_fault_of_the_mapping(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,date,name\n1,2026-01-01,x\n")
    source = source_of("customer", "customer_id: C{id}\nname: nmae")
    found = import_files(source, find_files([tmp_path]), DECODER)
    assert isinstance(found, list)
    assert [(fault.code, fault.place.line, fault.hint) for fault in found] == [
        ("B701", 12, None),
        ("B701", 15, "did you mean 'name'?"),
    ]


def test_a_table_without_a_file_is_a_fault_only_when_it_is_asked(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,day\n1,2026-01-01\n")
    asking = source_of("customer", "customer_id: C{id}\ncity: {table: people, key: id, take: town}")
    found = import_files(asking, find_files([tmp_path]), DECODER)
    assert isinstance(found, list)
    assert [fault.code for fault in found] == ["B708"]
    assert isinstance(
        import_files(source_of("login", "customer_id: C{id}"), find_files([tmp_path]), DECODER),
        Imported,
    )


def test_ndjson_and_json_rows_are_mapped_like_others(tmp_path: Path) -> None:
    text = """\
source: core
files:
- match: "*.json*"
  format: ndjson
  dates: iso
  events:
  - {type: login, id: "L-{login.nr}", time: at, fields: {customer_id: who, new_device: fresh}}
"""
    source, faults = read_source("core.yaml", text.encode(), STANDARD)
    assert source is not None, faults
    row = {"login": {"nr": 7}, "at": "2026-01-01T10:00:00+01:00", "who": "C1", "fresh": True}
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n{broken\n")
    found = import_files(source, find_files([tmp_path]), DECODER)
    assert isinstance(found, Imported)
    assert events(found)[0]["new_device"] is True
    assert events(found)[0]["id"] == "L-7"
    assert [one.reason for one in found.quarantined] == [Reason.BROKEN_JSON]


def test_a_row_can_be_mapped_again_from_quarantine(tmp_path: Path) -> None:
    files = {"in": "id,day,x\n1,2026-01-01,F\n2,2026-01-01,M\n3,2026-01-01,?\n"}
    narrow = source_of("customer", "customer_id: C{id}\ngender: {column: x, codes: {F: female}}")
    refused = run(tmp_path, narrow, **files).quarantined
    assert [one.line for one in refused] == [3, 4]
    wide = source_of(
        "customer", "customer_id: C{id}\ngender: {column: x, codes: {F: female, M: male}}"
    )
    once_more = again(wide, [], DECODER, refused)
    assert not isinstance(once_more, list)
    good, bad = once_more(refused[0]), once_more(refused[1])
    assert isinstance(good, list)
    assert json.loads(good[0])["gender"] == "male"
    assert getattr(bad, "reason", None) is Reason.UNKNOWN_WORD


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(content=st.binary(max_size=200))
def test_whatever_is_in_a_file_every_row_is_accounted_for(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in.csv").write_bytes(b"id,day\n1,2026-01-01\n" + content)
    source = source_of("login", "customer_id: C{id}")
    found = import_files(source, [tmp_path / "in.csv"], DECODER)
    assert isinstance(found, Imported)
    report = found.reports[0]
    assert report.rows == report.events + report.skipped + report.quarantined
    assert len(found.quarantined) == report.quarantined
