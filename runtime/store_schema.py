"""The tables of the embedded host's file, and how an older file becomes a newer one.

In: a connection. Out: the file has the tables of this version; `StoreRefused` if it is a newer one.
Invariant: what the host must not lose is in one file; every table has its reader in `store_sqlite`.
"""

from __future__ import annotations

import sqlite3

APPLICATION_ID = 0x42656C66  # "Belf": `file FILE.db` and we tell it from another program's
VERSION = 1

TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE customers (id TEXT PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE timers (due INTEGER, customer_id TEXT, PRIMARY KEY (due, customer_id)) WITHOUT ROWID;
CREATE TABLE waiting (customer_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE links (
  kind TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE seen (number INTEGER PRIMARY KEY, ids BLOB NOT NULL);
CREATE TABLE decisions (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, customer_id TEXT NOT NULL, rule TEXT NOT NULL,
  outcome TEXT NOT NULL, reason TEXT NOT NULL, line BLOB NOT NULL);
CREATE INDEX decisions_of_customer ON decisions (customer_id, number);
CREATE TABLE attempts (
  id TEXT PRIMARY KEY, message_id TEXT NOT NULL, customer_id TEXT NOT NULL, rule TEXT NOT NULL,
  class TEXT NOT NULL, channel TEXT NOT NULL, provider TEXT NOT NULL, state TEXT NOT NULL,
  at INTEGER NOT NULL, changed_at INTEGER, code TEXT) WITHOUT ROWID;
CREATE INDEX attempts_open ON attempts (state, at) WHERE state IN ('ready', 'started');
CREATE INDEX attempts_by_age ON attempts (at);
CREATE TABLE tasks (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, customer_id TEXT NOT NULL, line BLOB NOT NULL);
CREATE TABLE quarantine (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, line BLOB NOT NULL);
CREATE TABLE positions (
  source TEXT, name TEXT, value BLOB NOT NULL, PRIMARY KEY (source, name)) WITHOUT ROWID;
CREATE TABLE requests (
  key TEXT PRIMARY KEY, at INTEGER NOT NULL, answer BLOB NOT NULL) WITHOUT ROWID;
"""


class StoreRefused(OSError):  # noqa: N818  (reads as what happened)
    """The file cannot be used: by another process, by a newer version, or it is something else."""


def prepare(connection: sqlite3.Connection, path: str) -> None:
    """Make the tables in a new file; check those of an old one."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    if not version and not owner:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables:
            raise StoreRefused(None, "a database of another program", path)
        connection.executescript(
            f"BEGIN;{TABLES}PRAGMA user_version = {VERSION};"
            f"PRAGMA application_id = {APPLICATION_ID};COMMIT;"
        )
        return
    if owner != APPLICATION_ID:
        raise StoreRefused(None, "a database of another program", path)
    if version > VERSION:
        raise StoreRefused(None, f"written by a newer version of belfry (format {version})", path)
