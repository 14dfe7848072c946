"""The values of a source mapping: where each field comes from, checked against the event's fields.

In: nodes. Out: `Value` trees; the columns they need, for the moment when a file is opened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import phonenumbers

from belfry.connectors.sources.formats import date_format
from belfry.connectors.sources.keys import CODE_LIST, VALUE
from belfry.connectors.sources.model import As, Codes, Each, Layout, Lookup, Table, Value
from belfry.engine.event_types import EventTypes
from belfry.engine.faults import Fault
from belfry.engine.rulebook.keys import Values, read_section
from belfry.engine.rulebook.shapes import Faults, plain
from belfry.engine.rulebook.suggest import did_you_mean, listed
from belfry.engine.rulebook.yaml_nodes import MapNode, Node, TextNode, fault_at

ORIGINS = ("column", "template", "constant", "table", "each", "object")
_COLUMN = re.compile(r"\{([^{}]+)\}")
_AS: tuple[tuple[type, As], ...] = (
    (msgspec.inspect.DateTimeType, As.INSTANT),
    (msgspec.inspect.DateType, As.DATE),
    (msgspec.inspect.DecimalType, As.NUMBER),
    (msgspec.inspect.IntType, As.INTEGER),
    (msgspec.inspect.BoolType, As.BOOLEAN),
)
Struct = msgspec.inspect.StructType
