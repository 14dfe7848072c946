"""Checks that files, tables and values of a source mapping share.

In: what was read, and its node. Out: the value that is meant, or None and a fault.
"""

from __future__ import annotations

import contextlib
import re
from zoneinfo import ZoneInfo

import phonenumbers

from belfry.connectors.sources.formats import date_format
from belfry.engine.rulebook.keys import Values
from belfry.engine.rulebook.shapes import Faults
from belfry.engine.rulebook.yaml_nodes import Node, fault_at

DATE_WORDS = ("iso", "epoch_s", "epoch_ms")


def zone(node: Node, name: str, faults: Faults) -> ZoneInfo | None:
    """A zone by its IANA name."""
    if re.fullmatch(r"[A-Za-z0-9_+/-]{1,60}", name):
        with contextlib.suppress(OSError, ValueError, KeyError):
            return ZoneInfo(name)
    message = f"unknown time zone '{name[:60]}'"
    faults.append(fault_at(node, "B403", message, expected="an IANA name like Europe/Prague"))
    return None


def check_country(values: Values, faults: Faults) -> None:
    """A country has phone numbers."""
    name = values.get("country")
    if name is not None and name not in phonenumbers.SUPPORTED_REGIONS:
        message = f"unknown country '{name[:20]}'"
        faults.append(fault_at(values.at("country"), "B404", message, expected="such as CZ or CN"))


def check_dates(node: Node, text: str, years_from: int | None, faults: Faults) -> None:
    """A format is one of the words, or has a year, a month and a day."""
    if text in DATE_WORDS:
        return
    try:
        date_format(text, years_from=years_from)
    except ValueError as problem:
        hint = "YYYY-MM-DD, DD.MM.YYYY HH:mm, %d/%m/%Y, iso"
        faults.append(fault_at(node, "B706", str(problem), hint=hint))
