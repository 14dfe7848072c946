"""The Czech bank: its own rows by value in a small sample, its counts where the whole is there."""

import json
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from belfry.cli.sources import load_source
from belfry.connectors.sources.importing import find_files, import_files
from belfry.connectors.sources.report import Imported

ROOT = Path(__file__).resolve().parents[3]
MAPPING = ROOT / "rules" / "sources" / "berka.yaml"
BERKA = Path(os.environ.get("BELFRY_BERKA", ROOT.parent / "shared" / "data" / "berka"))
BANKS = ["sample", "whole"] if BERKA.is_dir() else ["sample"]

# Rows as they stand in the data set: CRLF, semicolons, quotes; bookings with LF.
SAMPLE = {
    "account.asc": '"account_id";"district_id";"frequency";"date"\n'
    '576;55;"POPLATEK MESICNE";930101\n',
    "card.asc": '"card_id";"disp_id";"type";"issued"\n1005;692;"classic";931107 00:00:00\n',
    "client.asc": '"client_id";"birth_number";"district_id"\n692;"706213";55\n693;"450204";1\n',
    "disp.asc": '"disp_id";"client_id";"account_id";"type"\n'
    '692;692;576;"OWNER"\n693;693;576;"DISPONENT"\n',
    "district.asc": 'A1;A2;A3\n1;"Hl.m. Praha";"Prague"\n55;"Brno - venkov";"south Moravia"\n',
    "loan.asc": '"loan_id";"account_id";"date";"amount";"duration";"payments";"status"\n'
    '5314;576;930705;96396;12;8033.00;"B"\n',
    "order.asc": '"order_id";"account_id";"bank_to";"account_to";"amount";"k_symbol"\n'
    '30253;576;"OP";"71033382";3662.00;"SIPO"\n30254;576;"OP";"71033383";1.00;" "\n',
    "trans-1993.asc": '"trans_id";"account_id";"date";"type";"operation";"amount";"balance";'
    '"k_symbol";"bank";"account"\n'
    '171812;576;930101;"PRIJEM";"VKLAD";900.00;900.00;"";;\n'
    '171813;576;930705;"VYDAJ";"PREVOD NA UCET";3662.00;-2762.00;"SIPO";"OP";"71033382"\n'
    '171814;576;930131;"VYBER";"VYBER";14.60;885.40;"SANKC. UROK";"";"0"\n'
    '171815;576;930131;"PRIJEM";"";22.10;907.50;"UROK";;\n',
}


def import_berka(data: Path) -> Imported:
    source, decoder = load_source(MAPPING, None)
    found = import_files(source, find_files([data]), decoder)
    assert isinstance(found, Imported), found
    return found


@pytest.fixture(scope="module")
def sample_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("berka")
    for name, text in SAMPLE.items():
        end = "\n" if name.startswith("trans") else "\r\n"
        (data / name).write_text(text, newline=end)
    return data


@pytest.fixture(scope="module", params=BANKS)
def bank(request: pytest.FixtureRequest, sample_data: Path) -> Imported:
    return import_berka(sample_data if request.param == "sample" else BERKA)


def by_id(found: Imported) -> dict[str, dict[str, Any]]:
    return {event["id"]: event for event in map(json.loads, found.events)}


EXPECTED: dict[str, dict[str, Any]] = {
    "C-692": {
        "type": "customer", "time": "1993-01-01T00:00:00+01:00", "customer_id": "C692",
        "birth_date": "1970-12-13", "gender": "female", "country": "CZ",
        "time_zone": "Europe/Prague", "city": "Brno - venkov", "branch": "Brno - venkov",
    },
    "C-693": {
        "type": "customer", "time": "1993-01-01T00:00:00+01:00", "customer_id": "C693",
        "birth_date": "1945-02-04", "gender": "male", "country": "CZ",
        "time_zone": "Europe/Prague", "city": "Hl.m. Praha", "branch": "Hl.m. Praha",
    },
    "A-576": {
        "type": "account", "time": "1993-01-01T00:00:00+01:00", "account_id": "A576",
        "holders": [{"customer_id": "C692", "role": "owner"},
                    {"customer_id": "C693", "role": "authorised"}],
        "currency": "CZK", "status": "active", "opened_on": "1993-01-01",
        "branch": "Brno - venkov", "statement_frequency": "monthly",
    },
    "K-1005": {
        "type": "card", "time": "1993-11-07T00:00:00+01:00", "card_id": "K1005",
        "account_id": "A576", "kind": "classic", "issued_on": "1993-11-07",
    },
    "L-5314": {
        "type": "loan", "time": "1993-07-05T00:00:00+02:00", "loan_id": "L5314",
        "account_id": "A576", "amount": "96396", "duration_months": 12, "payment": "8033.00",
        "granted_on": "1993-07-05", "status": "defaulted",
    },
    "O-30253": {
        "type": "standing_order", "time": "1993-01-01T00:00:00+01:00", "account_id": "A576",
        "amount": "3662.00", "currency": "CZK", "purpose": "household",
        "to_account": "71033382", "to_bank": "OP",
    },
    "O-30254": {
        "type": "standing_order", "time": "1993-01-01T00:00:00+01:00", "account_id": "A576",
        "amount": "1.00", "currency": "CZK", "to_account": "71033383", "to_bank": "OP",
    },
    "T-171812": {
        "type": "transaction", "time": "1993-01-01T00:00:00+01:00", "account_id": "A576",
        "amount": "900.00", "currency": "CZK", "direction": "credit", "balance": "900.00",
        "operation": "cash_in",
    },
    "T-171813": {
        "type": "transaction", "time": "1993-07-05T00:00:00+02:00", "account_id": "A576",
        "amount": "3662.00", "currency": "CZK", "direction": "debit", "balance": "-2762.00",
        "operation": "transfer_out", "purpose": "household",
        "counterparty": {"account": "71033382", "bank": "OP"},
    },
    "T-171814": {
        "type": "transaction", "time": "1993-01-31T00:00:00+01:00", "account_id": "A576",
        "amount": "14.60", "currency": "CZK", "direction": "debit", "balance": "885.40",
        "operation": "cash_out", "purpose": "penalty_interest",
    },
    "T-171815": {
        "type": "transaction", "time": "1993-01-31T00:00:00+01:00", "account_id": "A576",
        "amount": "22.10", "currency": "CZK", "direction": "credit", "balance": "907.50",
        "purpose": "interest",
    },
}  # fmt: skip


def test_each_row_of_the_sample_is_the_event_it_should_be(sample_data: Path) -> None:
    found = by_id(import_berka(sample_data))
    assert {event.pop("source") for event in found.values()} == {"berka"}
    assert found == {name: {"id": name} | event for name, event in EXPECTED.items()}


def test_customers_and_accounts_come_before_what_happens_to_them(bank: Imported) -> None:
    known: set[str] = set()
    for event in map(json.loads, bank.events):
        if event["type"] == "customer":
            known.add(event["customer_id"])
        elif event["type"] == "account":
            assert {one["customer_id"] for one in event["holders"]} <= known
            known.add(event["account_id"])
        else:
            assert event["account_id"] in known


def test_every_row_is_accounted_for_and_nothing_is_refused(bank: Imported) -> None:
    assert bank.quarantined == []
    assert bank.not_used == []
    for report in bank.reports:
        lines = Path(report.file).read_bytes().count(b"\n")
        assert report.rows == lines - 1
        assert report.role == "table" or report.events == report.rows


def test_each_account_has_exactly_one_owner_and_comes_first(bank: Imported) -> None:
    for event in map(json.loads, bank.events):
        if event["type"] == "account":
            roles = [one["role"] for one in event["holders"]]
            assert roles.count("owner") == 1
            assert roles[0] == "owner"


COUNTS = {
    "sample": {
        "account": 1, "card": 1, "customer": 2, "loan": 1, "standing_order": 2, "transaction": 4,
    },
    "whole": {
        "account": 4500, "card": 892, "customer": 5369, "loan": 682, "standing_order": 6471,
        "transaction": 28205,
    },
}  # fmt: skip
DIRECTIONS = {"sample": {"credit": 2, "debit": 2}, "whole": {"credit": 15212, "debit": 12993}}
PURPOSES = {
    "sample": {"household": 1, "interest": 1, "penalty_interest": 1},
    "whole": {
        "interest": 6065, "statement_fee": 2922, "household": 1901, "pension": 1149,
        "insurance": 343, "loan": 40, "penalty_interest": 9,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", BANKS)
def test_the_events_have_the_counts_and_sums_of_the_files(name: str, sample_data: Path) -> None:
    data = sample_data if name == "sample" else BERKA
    found = import_berka(data)
    assert dict(found.by_type) == COUNTS[name]
    bookings = [event for event in map(json.loads, found.events) if event["type"] == "transaction"]
    assert Counter(event["direction"] for event in bookings) == DIRECTIONS[name]
    purposes = Counter(event["purpose"] for event in bookings if "purpose" in event)
    assert purposes == PURPOSES[name]
    total = sum(Decimal(event["amount"]) for event in bookings)
    rows = (data / "trans-1993.asc").read_text().splitlines()[1:]
    assert total == sum(Decimal(row.split(";")[5]) for row in rows)
