"""YAML, guarded: from bytes to nodes that know where they stand, refusing what could hurt.

In: a path (for faults) and bytes. Out: the root node or None, and every fault found.
Scalars stay text: `NO`, `12:30`, `0123` and bare dates mean what the key that holds them wants.
No anchors, tags, merge keys, second documents; size, depth and count are bounded, in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from belfry.engine.faults import Fault, Place, Severity

BYTES_MAX = 1 << 20
DEPTH_MAX = 20
NODES_MAX = 200_000
# Marks in a node's content; YAML texts hold no such characters.
MAP, LIST, END = "\0{", "\0[", "\0}"

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
# The C parser is 8 times faster; a PyYAML built without it reads the same language.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True, eq=False)
class Source:
    """One file as text, for places and for the line shown with a fault."""

    path: str
    text: str
    lines: list[str] = field(init=False)
    root: Node | None = None
    content: str = ""  # of the root, for `content_hash`; made while it is read

    def __post_init__(self) -> None:
        self.lines = _LINE_BREAK.split(self.text)

    def line(self, number: int) -> str | None:
        """Line `number`, counted from 1."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else None


@dataclass(slots=True, eq=False)
class TextNode:
    """A scalar, as text. `style` is '' for a plain one, else its quote or block sign."""

    source: Source
    line: int
    column: int
    value: str
    style: str

    @property
    def is_null(self) -> bool:
        """Nothing was written: empty, `~` or `null`, unquoted."""
        return not self.style and self.value in _NULLS


@dataclass(slots=True, eq=False)
class ListNode:
    """A sequence."""

    source: Source
    line: int
    column: int
    items: list[Node]


@dataclass(slots=True, eq=False)
class MapNode:
    """A mapping, in the order written; keys are texts and stand once."""

    source: Source
    line: int
    column: int
    items: list[tuple[TextNode, Node]]

    def get(self, key: str) -> Node | None:
        """The value of a key."""
        return next((value for name, value in self.items if name.value == key), None)

    def key(self, key: str) -> TextNode | None:
        """The node of the key itself."""
        return next((name for name, _ in self.items if name.value == key), None)


Node = TextNode | ListNode | MapNode


def place_of(node: Node) -> Place:
    """Where a node begins."""
    return Place(node.source.path, node.line, node.column)


def fault_at(
    node: Node,
    code: str,
    message: str,
    *,
    expected: str | None = None,
    hint: str | None = None,
    severity: Severity = Severity.ERROR,
) -> Fault:
    """A fault that underlines a node's first line."""
    line = node.source.line(node.line)
    width = 1
    if isinstance(node, TextNode):
        width = len(node.value) + 2 * (node.style in ("'", '"'))
        width = max(1, min(width, len(line or "") - node.column + 1))
    return Fault(code, place_of(node), message, expected, hint, line, width, severity)


def read_yaml(path: str, raw: bytes) -> tuple[Node | None, list[Fault]]:
    """The root node of one file. An empty file is no node and no fault."""
    if len(raw) > BYTES_MAX:
        message = f"{len(raw):,} bytes; a file holds at most {BYTES_MAX:,}"
        return None, [_at_start(path, "B102", message, "split the file")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        return None, [_not_utf8(path, raw, problem.start)]
    builder = _Builder(Source(path, text))
    try:
        for event in _events(text):
            if type(event) is yaml.ScalarEvent:
                builder.scalar(event)
            else:
                builder.take(event)
            if len(builder.content) > NODES_MAX:
                message = f"more than {NODES_MAX:,} keys and values"
                builder.refuse(event, "B108", message, "split the file")
            if builder.refused:
                return None, builder.faults
    except yaml.YAMLError as problem:
        return None, [*builder.faults, _syntax_fault(builder.source, problem)]
    builder.source.root = builder.root
    builder.source.content = "\0".join(builder.content)
    return builder.root, builder.faults


def _events(text: str) -> Iterator[Any]:
    found: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
    return found


# What a builder remembers of the level above: its pairs, its items, its keys.
_Level = tuple[list[tuple[TextNode, Node]] | None, list[Node] | None, dict[str, TextNode]]


@dataclass(slots=True)
class _Builder:
    """Grows the tree from parser events on an explicit stack: depth costs no recursion.

    `pairs` and `seen` are those of the mapping on top of the stack, `items` those of a list.
    """

    source: Source
    root: Node | None = None
    faults: list[Fault] = field(default_factory=list)
    refused: bool = False
    stack: list[_Level] = field(default_factory=list)
    key: TextNode | None = None
    pairs: list[tuple[TextNode, Node]] | None = None
    items: list[Node] | None = None
    seen: dict[str, TextNode] = field(default_factory=dict)
    content: list[str] = field(default_factory=list)
    documents: int = 0

    def take(self, event: Any) -> None:
        """Any event but a scalar."""
        kind = type(event)
        if kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self.pairs, self.items, self.seen = self.stack.pop()
            self.key = None
            self.content.append(END)
        elif kind is yaml.MappingStartEvent:
            self.begin(event, MapNode(self.source, *_start(event), []), MAP)
        elif kind is yaml.SequenceStartEvent:
            self.begin(event, ListNode(self.source, *_start(event), []), LIST)
        elif kind is yaml.AliasEvent:
            self.refuse(event, "B104", f"alias '*{event.anchor}'", "write the value out")
        elif kind is yaml.DocumentStartEvent:
            self.documents += 1
            if self.documents > 1:
                self.refuse(event, "B109", "a second document begins here", "one file each")

    def scalar(self, event: Any) -> None:
        """The hot path: nine of ten events of a rulebook."""
        if event.tag is not None or event.anchor is not None:
            return self.anchor_or_tag(event)
        mark, value = event.start_mark, event.value
        node = TextNode(self.source, mark.line + 1, mark.column + 1, value, event.style or "")
        self.content.append(value)
        key = self.key
        if self.pairs is None:
            return self.attach(node)
        if key is None:
            return self.new_key(event, node)
        self.key = None
        if self.seen[key.value] is key:
            self.pairs.append((key, node))
        return None

    def new_key(self, event: Any, node: TextNode) -> None:
        if node.value == "<<" and not node.style:
            self.refuse(event, "B106", "merge key '<<'", "write the keys out")
        first = self.seen.setdefault(node.value, node)
        if first is not node:
            where = f"first on line {first.line}, again on line {node.line}"
            message = f"key '{node.value}' stands twice: {where}"
            self.faults.append(fault_at(node, "B110", message, hint="remove one of the two"))
        self.key = node

    def begin(self, event: Any, node: ListNode | MapNode, mark: str) -> None:
        if event.anchor is not None or event.tag is not None:
            self.anchor_or_tag(event)
        elif len(self.stack) >= DEPTH_MAX:
            self.refuse(event, "B107", f"nested deeper than {DEPTH_MAX} levels", None)
        elif self.pairs is not None and self.key is None:
            self.refuse(event, "B111", "a list or mapping as a key", "quote the key")
        else:
            self.attach(node)
            self.content.append(mark)
            self.stack.append((self.pairs, self.items, self.seen))
            self.seen, self.key = {}, None
            self.pairs = node.items if isinstance(node, MapNode) else None
            self.items = node.items if isinstance(node, ListNode) else None

    def attach(self, node: Node) -> None:
        key = self.key
        if self.items is not None:
            self.items.append(node)
        elif self.pairs is None:
            self.root = None if isinstance(node, TextNode) and node.is_null else node
        elif key is not None:
            self.key = None
            if self.seen[key.value] is key:  # the first of two wins: the second was reported
                self.pairs.append((key, node))

    def anchor_or_tag(self, event: Any) -> None:
        if event.anchor is not None:
            self.refuse(event, "B104", f"anchor '&{event.anchor}'", "write the value out")
        else:
            self.refuse(event, "B105", f"tag '{event.tag}'", "texts are quoted, not tagged")

    def refuse(self, event: Any, code: str, message: str, hint: str | None) -> None:
        self.refused = True
        line, column = _start(event)
        place = Place(self.source.path, line, column)
        self.faults.append(Fault(code, place, message, None, hint, self.source.line(line)))


def _start(event: Any) -> tuple[int, int]:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


def _at_start(path: str, code: str, message: str, hint: str | None) -> Fault:
    return Fault(code, Place(path, 1, 1), message, None, hint)


def _not_utf8(path: str, raw: bytes, offset: int) -> Fault:
    line = raw.count(b"\n", 0, offset) + 1
    column = offset - (raw.rfind(b"\n", 0, offset) + 1) + 1
    message = f"byte 0x{raw[offset]:02x} is not UTF-8"
    return Fault("B101", Place(path, line, column), message, "UTF-8", "save the file as UTF-8")


def _syntax_fault(source: Source, problem: yaml.YAMLError) -> Fault:
    line, column, said = 1, 1, str(problem)
    hint = None
    if isinstance(problem, yaml.MarkedYAMLError):
        mark = problem.problem_mark or problem.context_mark
        said = problem.problem or problem.context or "syntax error"
        if problem.context and problem.problem:
            said = f"{problem.problem} ({problem.context})"
        if mark is not None:
            line, column = mark.line + 1, mark.column + 1
    elif isinstance(problem, yaml.reader.ReaderError):
        said = f"character U+{_ordinal(problem.character):04X} is not allowed"
        before = source.text[: _offset_of(source.text, problem)]
        line = len(_LINE_BREAK.findall(before)) + 1
        column = len(_LINE_BREAK.split(before)[-1]) + 1
    if "\t" in (source.line(line) or "")[: column + 1]:
        hint = "YAML is indented with spaces, not tabs"
    elif "mapping values are not allowed" in said:
        hint = "quote a text that contains ': '"
    elif "%" in said or "cannot start any token" in said:
        hint = "quote a text that begins with a special character"
    return Fault("B103", Place(source.path, line, column), said, None, hint, source.line(line))


def _ordinal(character: int | str) -> int:
    return character if isinstance(character, int) else ord(character[0])


def _offset_of(text: str, problem: yaml.reader.ReaderError) -> int:
    """The C reader counts bytes, the Python one characters: look for the character itself."""
    found = text.find(chr(_ordinal(problem.character)))
    return found if found >= 0 else min(problem.position, len(text))
