"""The store's file: refused where it must be, kept small, read beside its writer, copied whole."""

import datetime as dt
import sqlite3

import pytest
from embedded_bank import Bank, batch, facts, login

from belfry.runtime.faultpoints import VARIABLE, action_of, arm_from_environment, disarm, faultpoint
from belfry.runtime.ports import micros
from belfry.runtime.reading import Query, backup, export_decisions, find_decisions
from belfry.runtime.store_schema import StoreRefused
from belfry.runtime.store_sqlite import SqliteStore

DAY = dt.timedelta(days=1)


def test_a_second_writer_is_refused_until_the_first_is_gone(tmp_path):
    first = SqliteStore(tmp_path / "a.db")
    with pytest.raises(StoreRefused, match="another process"):
        SqliteStore(tmp_path / "a.db")
    first.close()
    SqliteStore(tmp_path / "a.db").close()


@pytest.mark.parametrize("what", ["text", "foreign", "newer"])
def test_a_file_of_somebody_else_is_left_alone(tmp_path, what):
    path = tmp_path / "a.db"
    if what == "text":
        path.write_text("no database at all, but long enough to be looked at as one" * 20)
    else:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE theirs (a)")
        if what == "newer":
            other.execute("PRAGMA user_version = 99")
        other.commit()
        other.close()
    before = path.read_bytes()
    with pytest.raises(StoreRefused):
        SqliteStore(path)
    assert path.read_bytes()[100:] == before[100:]


def test_the_file_is_its_owners_only(tmp_path):
    SqliteStore(tmp_path / "a.db").close()
    assert (tmp_path / "a.db").stat().st_mode & 0o077 == 0


def test_old_decisions_go_and_what_is_open_stays(banks):
    bank: Bank = banks()
    bank.host.apply([batch(bank.program, *facts(), login(1))])
    bank.host.apply([batch(bank.program, login(2))])
    bank.carry()
    bank.host.apply([batch(bank.program, login(3))])  # not carried out
    before = micros(bank.clock.at + 1000 * DAY)
    while bank.store.prune(before, 2):
        pass
    assert bank.decisions() == []
    assert bank.attempts() == [("alarm", "started")]
    assert bank.store.prune(micros(bank.clock.at - 1000 * DAY), 100) == 0


def test_decisions_are_found_and_exported_beside_the_writer(banks, tmp_path):
    bank: Bank = banks()
    rows = [*facts("C1"), *facts("C2"), login(1, "C1"), login(2, "C2"), login(3, "C1")]
    bank.host.apply([batch(bank.program, *rows)])
    found = find_decisions(bank.path, Query(customer_id="C1", rule="alarm", limit=1))
    assert len(found) == 1
    rest = find_decisions(bank.path, Query(customer_id="C1", rule="alarm", after=found[0][0]))
    assert [line for _, line in (*found, *rest)] == [
        line for line in bank.decisions() if b'"alarm"' in line and b'"C1"' in line
    ]
    out = tmp_path / "d.ndjson"
    assert export_decisions(bank.path, out) == len(bank.decisions())
    assert out.read_bytes().splitlines() == bank.decisions()


def test_a_backup_goes_on_where_it_was_made(banks, tmp_path):
    bank: Bank = banks()
    bank.host.apply([batch(bank.program, *facts(), login(1))])
    backup(bank.path, tmp_path / "copy.db")
    bank.host.apply([batch(bank.program, login(2))])
    restored = Bank(tmp_path / "copy.db")
    taken = restored.host.apply([batch(bank.program, login(1), login(2))]).taken[0]
    restored.store.close()
    assert (taken.applied, taken.repeated) == (1, 1)


def test_a_fault_point_acts_at_its_count_and_once(monkeypatch):
    monkeypatch.setenv(VARIABLE, "commit.end:2:raise")
    arm_from_environment()
    try:
        faultpoint("commit.end")
        with pytest.raises(Exception, match="armed"):
            faultpoint("commit.end")
        faultpoint("commit.end")
    finally:
        disarm()


@pytest.mark.parametrize("text", ["nothing:1:raise", "commit.end:0:raise", "commit.end:1:explode"])
def test_a_fault_that_cannot_be_armed_is_refused(monkeypatch, text):
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ValueError, match=VARIABLE):
        arm_from_environment()
    assert action_of("slow:1")
