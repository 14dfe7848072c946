"""An edition outlives the process that made it, and the version of Belfry."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from belfry.engine.edition import FORMAT, Edition, edition_of
from belfry.engine.edits import Effect, compare
from belfry.engine.rulebook.load import load_rulebook
from belfry.engine.rulebook.model import Rulebook

TEXT = """\
features:
  spent: {sum: amount, of: transaction, where: operation in lists.cash, window: 10d}
segments:
  spender: {values: {big: features.spent >= 1000, small: true}}
lists: {cash: [atm, till, counter]}
rules:
- rule: low
  by: account
  when: account.balance < 500 and operation in lists.cash
  event: transaction
  until: account.balance >= 600
  notify: {class: service, channels: [push]}
- rule: expiry
  by: card
  timer: {date: card.expires_on, before: [30d, 7d], at: "09:00"}
  notify: {class: service, channels: [push]}
- rule: salary
  timer: {monthly: 15, roll: next_business_day}
  absent: {event: transaction, since: month_start}
  notify: {class: service, channels: [push]}
"""
# Written down by this version. If they change, hosts would take what they stored for another
# meaning, and drop windows: raise FORMAT, and write the new ones down.
DIGESTS: dict[str, dict[str, str]] = {
    "expiry": {"by": "3e7535494ecf", "trigger": "22bcaeedb5ed", "timer": "50ea23f24dd3"},
    "low": {
        "by": "3aaa9b7e3ffe",
        "trigger": "c1d8f73588b6",
        "event": "fa3f3b24b14b",
        "when": "69912367e9d5",
        "until": "a625201e3367",
    },
    "salary": {
        "by": "671e9f35cc1c",
        "trigger": "22bcaeedb5ed",
        "absent": "41329857ecc4",
        "timer": "c780c4930c10",
    },
    "spent": {
        "sum": "297a3ead69d2",
        "of": "fa3f3b24b14b",
        "where": "aff54386fab5",
        "window": "6e9e48850ed4",
        "by": "671e9f35cc1c",
        "current": "cbc78c2f695c",
    },
    "spender": {"values": "1895258efc4d"},
}


def book() -> Rulebook:
    found, faults = load_rulebook({"all.yaml": TEXT.encode()})
    assert found is not None, "\n".join(map(str, faults))
    return found


def test_digests_are_those_that_hosts_have_stored() -> None:
    edition = edition_of(book())
    assert FORMAT == 1
    assert edition.rules | edition.features | edition.segments == DIGESTS


@pytest.mark.parametrize("seed", ["1", "2"])
def test_digests_do_not_hang_on_the_hash_seed(seed: str) -> None:
    code = (
        "import sys, msgspec\n"
        "from belfry.engine.edition import edition_of\n"
        "from belfry.engine.rulebook.load import load_rulebook\n"
        "book, _ = load_rulebook({'all.yaml': sys.stdin.buffer.read()})\n"
        "sys.stdout.buffer.write(msgspec.json.encode(edition_of(book)))"
    )
    made = subprocess.run(
        [sys.executable, "-c", code],
        input=TEXT.encode(), capture_output=True, check=True, env={"PYTHONHASHSEED": seed},
    )  # fmt: skip
    assert msgspec.json.decode(made.stdout, type=Edition) == edition_of(book())


def test_an_edition_of_another_format_is_as_good_as_lost() -> None:
    old = msgspec.structs.replace(edition_of(book()), format=FORMAT + 1)
    edits = compare(old, book())
    assert {one.effects for one in edits.touched.values()} == {(Effect.RE_EVALUATED,)}
    assert edits.features == {}
