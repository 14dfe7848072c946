"""The keys of a source mapping as data: for the reader, its "did you mean", the reference.

In: nothing. Out: `Section` tables, and `CODES`, the faults that only mappings have.
"""

from __future__ import annotations

import codecs
import re

from belfry.connectors.sources.formats import CLEANINGS
from belfry.connectors.sources.model import As
from belfry.engine.rulebook.keys import Key, Section, nested_list
from belfry.engine.rulebook.shapes import (
    ANYTHING,
    BOOLEAN,
    EXPRESSION,
    IDENTIFIER,
    LOCAL_TIME,
    NUMBER,
    TEXT,
    Faults,
    Shape,
    items,
    whole,
    word,
)  # fmt: skip
from belfry.engine.rulebook.suggest import did_you_mean, listed
from belfry.engine.rulebook.yaml_nodes import ListNode, Node, TextNode, fault_at

CODES: dict[str, str] = {
    "B701": "the file has no such column",
    "B702": "unknown code list",
    "B703": "unknown table",
    "B704": "a value comes from exactly one place",
    "B705": "unknown field of the event type",
    "B706": "not a date format",
    "B707": "unknown encoding",
    "B708": "no file is given for a table",
    "B709": "the header of a file cannot be used",
}

# All but UTF-16 keep ASCII as it is, so that a line end is always one byte.
ENCODINGS = (
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii", "latin-1", "iso-8859-2", "iso-8859-15",
    "cp1250", "cp1251", "cp1252", "cp852", "gb18030", "gbk", "gb2312", "big5", "shift_jis",
    "euc-jp", "euc-kr", "koi8-r",
)  # fmt: skip
_SIGNS = {"tab": "\t", "space": " ", "none": "", "\\t": "\t"}


def _read_sign(node: Node, faults: Faults) -> str | None:
    text = node.value if isinstance(node, TextNode) else "  "
    sign = _SIGNS.get(text, text)
    if len(sign) > 1 or sign in "\r\n":
        says = "one character, or tab, space, none"
        faults.append(fault_at(node, "B203", f"expected {says}", expected=says))
        return None
    return sign


def _read_words(node: Node, faults: Faults) -> frozenset[str] | None:
    parts = node.items if isinstance(node, ListNode) else [node]
    for part in parts:
        if not isinstance(part, TextNode):
            faults.append(fault_at(part, "B203", "expected a word", expected="a word"))
            return None
    return frozenset(part.value for part in parts if isinstance(part, TextNode))


def _read_encoding(node: Node, faults: Faults) -> str | None:
    name = TEXT.read(node, faults)
    if name is None:
        return None
    try:
        known = {codecs.lookup(one).name: one for one in ENCODINGS}
        return known[codecs.lookup(name).name]
    except LookupError:
        message = f"'{name[:40]}' is not an encoding read here"
        hint = did_you_mean(name, ENCODINGS)
        faults.append(fault_at(node, "B707", message, expected=listed(ENCODINGS), hint=hint))
        return None


def _read_characters(node: Node, faults: Faults) -> tuple[int, int] | None:
    text = TEXT.read(node, faults)
    if text is None:
        return None
    found = re.fullmatch(r"([1-9]\d{0,3})(?:-([1-9]\d{0,3}))?", text)
    if found is None or int(found[2] or found[1]) < int(found[1]):
        says = "places counted from 1, such as 3 or 3-4"
        faults.append(fault_at(node, "B203", f"'{text[:40]}' is not {says}", expected=says))
        return None
    return int(found[1]), int(found[2] or found[1])


SIGN = Shape("one character, or tab, space, none", _read_sign, {"type": "string"})
WORDS = Shape(
    "a list of words", _read_words, {"anyOf": [{"type": "array", "items": {}}, {"type": "string"}]}
)
ENCODING = Shape("an encoding", _read_encoding, {"enum": list(ENCODINGS)})
CHARACTERS = Shape("places such as 3-4", _read_characters, {"type": ["string", "integer"]})

# What a file, a table and the whole mapping have in common; the innermost counts.
LAYOUT = (
    Key("format", word("csv", "ndjson", "json"), "how the file is written", "csv"),
    Key("encoding", ENCODING, "of the file", "utf-8"),
    Key("delimiter", SIGN, "between two columns", ","),
    Key("quote", SIGN, "around a text; doubled inside", '"'),
    Key("columns", items(TEXT), "their names, if the file has no header line"),
    Key("decimal", SIGN, "the decimal sign", "."),
    Key("thousands", SIGN, "the sign between groups of three digits", "none"),
    Key("empty", WORDS, "words that mean: no value", '[""]'),
    Key("dates", TEXT, "format of dates: YYYY-MM-DD, %d.%m.%Y, iso, epoch_s, epoch_ms", "%Y-%m-%d"),
    Key("years_from", whole(1800, 2100), "first of the 100 years that two digits can mean"),
    Key("at", LOCAL_TIME, "time of day of a date that has none", "00:00"),
    Key("time_zone", TEXT, "IANA name; of times without offset"),
    Key("country", TEXT, "ISO 3166-1; of phone numbers without +"),
)  # fmt: skip

CONDITION = Section(
    "condition",
    "What a row is like: an expression (a bare text is one), or a column and what it holds.",
    (
        Key("expr", EXPRESSION, "holds if this is true; unknown is not true"),
        Key("column", items(TEXT), "the column looked at (of several: the first with a value)"),
        Key("in", WORDS, "its text is one of these"),
        Key("is_empty", BOOLEAN, "it has no value"),
    ),
    short="expr",
)  # fmt: skip
CONDITIONS = nested_list(CONDITION)
_FILTERS = (
    Key("only_when", CONDITIONS, "take only rows for which all of this holds"),
    Key("skip_when", CONDITIONS, "leave rows out for which any of this holds"),
)

VALUE = Section(
    "value",
    "Where a field's value comes from, and what is done to it. A bare text is a column, or, with "
    "{braces}, a template.",
    (
        Key("column", items(TEXT), "a column; of several the first with a value"),
        Key("template", TEXT, "a text with {columns} in it"),
        Key("constant", ANYTHING, "always this"),
        Key("expr", EXPRESSION, "worked out: `row.x` is the text of column x, a bare name one of"
            " the file's `values` or a field above"),
        Key("table", IDENTIFIER, "look up in this table: with `key` and `take`"),
        Key("each", IDENTIFIER, "one object for each row of this table: with `key` and `item`"),
        Key("key", ANYTHING, "what is looked up: a value of its own"),
        Key("take", TEXT, "the column of the table that is taken, or a template of several"),
        Key("item", ANYTHING, "the fields of each object"),
        Key("object", ANYTHING, "an object with these fields"),
        Key("characters", CHARACTERS, "only these places of the text, counted from 1"),
        Key("clean", items(word(*CLEANINGS)), "done to the text, in this order"),
        Key("codes", ANYTHING, "a code list by name, or written out"),
        Key("as", word(*As), "what it becomes", "what the field is"),
        Key("month_plus", whole(1, 99), "months above this are this much too high"),
        Key("scale", NUMBER, "multiply the number, such as 0.01"),
        Key("absolute", BOOLEAN, "leave the sign away", "false"),
        Key("default", ANYTHING, "if there is no value"),
        Key("invalid", word("refuse", "leave_out"), "what becomes of a wrong value", "refuse"),
        Key("when_empty", word("leave_out", "remove"), "what no value means for a fact",
            "leave_out"),
        Key("format", TEXT, "format of this date"),
        *(key for key in LAYOUT
          if key.name in ("decimal", "thousands", "empty", "years_from", "at", "time_zone",
                          "country")),
    ),
    short="column",
)  # fmt: skip

CODE_LIST = Section(
    "code list",
    "A bank's words and ours.",
    (
        Key("words", ANYTHING, "the bank's word: ours (nothing: no value)", required=True),
        Key("unknown", word("refuse", "keep", "leave_out"), "what becomes of other words",
            "refuse"),
    ),
)  # fmt: skip

EVENT = Section(
    "event",
    "One event from each row.",
    (
        Key("type", TEXT, "the event type", required=True),
        Key("id", ANYTHING, "unique within the source", required=True),
        Key("time", ANYTHING, "when it happened", required=True),
        Key("fields", ANYTHING, "field: where its value comes from"),
        *_FILTERS,
    ),
)
FILE = Section(
    "file",
    "Files with the same columns.",
    (
        Key("match", items(TEXT), "names, with * and ?; .gz is understood", required=True),
        Key("values", ANYTHING, "name: a value for expressions, worked out for each row that asks"),
        Key("events", nested_list(EVENT), "what each row becomes", required=True),
        *_FILTERS,
        *LAYOUT,
    ),
)
TABLE = Section(
    "table",
    "A file that others look things up in.",
    (
        Key("match", items(TEXT), "names, with * and ?", required=True),
        Key("key", TEXT, "the column that is looked up", required=True),
        *LAYOUT,
    ),
)
SOURCE = Section(
    "source",
    "A bank's files, and which events they hold.",
    (
        Key("source", TEXT, "the name of the system; part of every event", required=True),
        Key("title", TEXT, "for people"),
        Key("codes", ANYTHING, "code lists by name"),
        Key("tables", ANYTHING, "tables by name"),
        Key("files", nested_list(FILE), "in the order of their events at equal times",
            required=True),
        *LAYOUT,
    ),
)  # fmt: skip

SECTIONS = (SOURCE, FILE, EVENT, VALUE, CODE_LIST, TABLE, CONDITION)
