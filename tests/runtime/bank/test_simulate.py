"""The synthetic bank: the same bytes for the same seed, sound books, everything that rules need."""

import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from belfry.connectors.codec import Decoder
from belfry.connectors.reasons import Rejected
from belfry.engine.event_types import EventTypes
from belfry.engine.events import FACTS, HAPPENINGS, type_name
from belfry.engine.rulebook.model import Rulebook
from belfry.runtime.bank.life import Fields, Setting
from belfry.runtime.bank.simulate import BROKEN, START, as_lines, simulate_bank
from belfry.runtime.replay import replay_files
from belfry.runtime.rulebook_files import read_rulebook

ROOT = Path(__file__).parents[3]
# Rules that the default bank cannot make speak, each with its reason.
SILENT: dict[str, str] = {}


def bank(customers: int = 120, *, seed: int = 7, language: str = "zh") -> list[Fields]:
    return simulate_bank(Setting(customers, 90, seed, language, START))


@pytest.fixture(scope="module")
def events() -> list[Fields]:
    return bank()


@pytest.fixture(scope="module")
def book() -> Rulebook:
    found, _ = read_rulebook(ROOT / "rules")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def types(book: Rulebook) -> EventTypes:
    return book.event_types


def test_the_same_seed_gives_the_same_bytes_under_any_hash_seed() -> None:
    code = (
        "import sys, hashlib; from belfry.runtime.bank.life import Setting;"
        "from belfry.runtime.bank.simulate import START, as_lines, simulate_bank;"
        "lines = as_lines(simulate_bank(Setting(40, 90, 7, 'en', START)));"
        "print(hashlib.sha256(b''.join(lines)).hexdigest())"
    )
    sums = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    here = hashlib.sha256(b"".join(as_lines(bank(40, language="en")))).hexdigest()
    assert sums == {here + "\n"}


def test_another_seed_gives_another_bank() -> None:
    assert bank(10, seed=7) != bank(10, seed=8)


def test_a_customer_lives_the_same_life_in_a_larger_bank() -> None:
    def of_customer_7(events: list[Fields]) -> list[Fields]:
        return [event for event in events if event["id"].startswith(("T-00007-", "E-00007-"))]

    assert of_customer_7(bank(10)) == of_customer_7(bank(30))


def test_balances_follow_from_the_payments(events: list[Fields]) -> None:
    seen: set[str] = set()
    last: dict[str, Decimal] = {}
    booked = 0
    # In the order of the books: by time; equal times keep the order of their ids.
    for event in sorted(events, key=lambda one: one["time"]):
        account = event.get("account_id", "")
        if event["id"] in seen or event["id"].startswith("X-"):
            continue
        seen.add(event["id"])
        if event["type"] == "account" and "balance" in event:
            last.setdefault(account, Decimal(event["balance"]))
        if event["type"] != "transaction":
            continue
        amount, after = Decimal(event["amount"]), Decimal(event["balance"])
        assert amount > 0
        if event.get("status") != "declined":
            last[account] += amount if event["direction"] == "credit" else -amount
            booked += 1
        assert after == last[account], event
    assert booked > 5_000


def test_every_event_is_good_but_for_those_broken_on_purpose(
    events: list[Fields], types: EventTypes
) -> None:
    decoder = Decoder(types)
    bad = {}
    for event in events:
        found = decoder.decode_event(orjson.dumps(event))
        if isinstance(found, Rejected):
            bad[event["id"]] = found.reason
    decodable = {f"X-{reason}": reason for reason, _ in BROKEN if reason != "unknown_account"}
    assert bad == decodable


def test_every_standard_type_of_event_appears(events: list[Fields]) -> None:
    wanted = {type_name(struct) for struct in (*FACTS, *HAPPENINGS)}
    assert wanted <= {event["type"] for event in events}


def test_customers_of_every_stage_and_size_are_there(events: list[Fields]) -> None:
    since = {e["customer_id"]: e["since"] for e in events if "since" in e}
    assert min(since.values()) < "2015"
    assert max(since.values()) > START.isoformat()
    products = Counter(e["product"] for e in events if "product" in e)
    assert set(products) == {"current", "savings", "term_deposit", "credit_card"}
    joint = [e for e in events if len(e.get("holders", ())) > 1]
    assert {h["role"] for e in joint for h in e["holders"]} == {"owner", "authorised"}


def test_some_events_are_late_some_come_twice(events: list[Fields]) -> None:
    times = [event["time"] for event in events]
    assert times != sorted(times)
    repeated = [one for one, count in Counter(e["id"] for e in events).items() if count > 1]
    assert repeated


def test_phones_and_addresses_reach_nobody(events: list[Fields]) -> None:
    import phonenumbers

    addresses = defaultdict(set)
    for event in events:
        if event["type"] == "contact":
            addresses[event["kind"]].add(event["address"])
    assert all(one.endswith("@example.com") for one in addresses["email"])
    phones = addresses["mobile"]
    assert phones
    assert not any(phonenumbers.is_valid_number(phonenumbers.parse(one)) for one in phones)


def test_names_are_of_the_language_asked_for() -> None:
    def names(language: str) -> str:
        return "".join(e.get("name", "") for e in bank(30, language=language))

    assert names("en").isascii()
    assert not any(letter.isascii() for letter in names("zh"))


@pytest.fixture(scope="module")
def raised(book: Rulebook, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Counter[str]]:
    """The default seed, five hundred customers: rule → outcomes."""
    from belfry.engine.program import build_program

    folder = tmp_path_factory.mktemp("bank")
    (folder / "events.ndjson").write_bytes(b"".join(as_lines(bank(500))))
    summary = replay_files(build_program(book), [folder / "events.ndjson"], folder / "out")
    assert dict(summary.quarantined) == dict.fromkeys((reason for reason, _ in BROKEN), 1)
    assert not summary.errors
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for (rule, outcome, _), count in summary.decisions.items():
        found[rule][outcome] += count
    return found


def test_every_shipped_rule_has_something_to_say(
    book: Rulebook, raised: dict[str, Counter[str]]
) -> None:
    silent = set(book.rules) - set(raised)
    said = "give it an episode in runtime/bank/, or a line in SILENT with the reason"
    assert silent == set(SILENT), said
