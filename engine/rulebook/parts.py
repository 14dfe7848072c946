"""What lies in a rulebook folder: each file is cut into the sections that it holds.

In: path → bytes (paths relative to the rulebook, with `/`). Out: `Parts`, nodes not yet read.
A rule is a file with a top-level key `rule`. The folders features/, segments/, lists/ and events/,
and files named after a section (macros.yaml, policies/caps.yaml …), may hold the mapping itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from belfry.engine.faults import Fault, Place
from belfry.engine.rulebook.model import Template
from belfry.engine.rulebook.policy_keys import SECTIONS
from belfry.engine.rulebook.rule_keys import RULE
from belfry.engine.rulebook.shapes import Faults
from belfry.engine.rulebook.suggest import did_you_mean, listed
from belfry.engine.rulebook.yaml_nodes import (
    ListNode,
    MapNode,
    Node,
    Source,
    TextNode,
    fault_at,
    place_of,
    read_yaml,
)

RULES_MAX = 50_000
ELSEWHERE_READ = frozenset(("sources", "products"))  # folders that others read
TEMPLATES = "templates"
Named = tuple[TextNode, Node]


@dataclass(slots=True)
class Parts:
    """Sections as nodes, in the order of their files' names."""

    rules: list[MapNode] = field(default_factory=list)
    named: dict[str, list[Named]] = field(default_factory=dict)
    listed: dict[str, list[Node]] = field(default_factory=dict)
    bank: list[Node] = field(default_factory=list)
    templates: list[Template] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)

    def of(self, section: str) -> list[Named]:
        """(name, value) pairs of a section that maps names."""
        return self.named.get(section, [])


def cut(files: Mapping[str, bytes], faults: Faults) -> Parts:
    """Cut all files; what cannot be read is a fault, the rest goes on."""
    parts = Parts()
    for path in sorted(files):
        folder = path.partition("/")[0]
        if folder in ELSEWHERE_READ:
            continue
        if path.endswith((".yaml", ".yml")) and folder != TEMPLATES:
            root, found = read_yaml(path, files[path])
            faults.extend(found)
            if root is not None:
                parts.sources[path] = root.source
                _cut_file(path, root, parts, faults)
        elif folder == TEMPLATES and path.endswith((".txt", ".html")):
            _cut_template(path, files[path], parts, faults)
    if len(parts.rules) > RULES_MAX:
        message = f"{len(parts.rules):,} rules; a rulebook holds at most {RULES_MAX:,}"
        faults.append(fault_at(parts.rules[RULES_MAX], "B215", message))
    return parts


def _cut_file(path: str, root: Node, parts: Parts, faults: Faults) -> None:
    folder, _, file = path.rpartition("/")
    stem = file.rpartition(".")[0]
    own = folder.partition("/")[0] if folder.partition("/")[0] in SECTIONS else stem
    keys = {key.value for key, _ in root.items} if isinstance(root, MapNode) else set()
    is_whole = not keys & ({"rule"} | set(SECTIONS))
    if own in SECTIONS and is_whole:
        if own == "lists" and isinstance(root, ListNode):
            name = TextNode(root.source, root.line, root.column, stem.replace("-", "_"), "")
            parts.named.setdefault("lists", []).append((name, root))
        else:
            _cut_section(own, root, parts, faults)
        return
    if not isinstance(root, MapNode):
        message = "a rulebook file is a mapping"
        faults.append(fault_at(root, "B203", message, expected=listed(("rule", *SECTIONS))))
        return
    rest = root
    if keys & set(SECTIONS):
        rest = MapNode(root.source, root.line, root.column, [])
    for key, value in root.items:
        if key.value in SECTIONS:
            _cut_section(key.value, value, parts, faults)
        elif rest is not root:
            rest.items.append((key, value))
    if "rule" in keys:
        parts.rules.append(rest)
    elif rest.items:
        faults.extend(_not_a_rule(rest))


def _cut_section(section: str, node: Node, parts: Parts, faults: Faults) -> None:
    if isinstance(node, TextNode) and node.is_null:
        return
    if section == "bank":
        parts.bank.append(node)
    elif section in ("quiet_hours", "caps"):
        found = node.items if isinstance(node, ListNode) else [node]
        parts.listed.setdefault(section, []).extend(found)
    elif section == "rules":
        for one in node.items if isinstance(node, ListNode) else [node]:
            if isinstance(one, MapNode):
                parts.rules.append(one)
            else:
                faults.append(fault_at(cast("Node", one), "B203", "a rule is a mapping"))
    elif isinstance(node, MapNode):
        parts.named.setdefault(section, []).extend(node.items)
    else:
        message = f"'{section}' is a mapping: {SECTIONS[section]}"
        faults.append(fault_at(node, "B203", message, expected="a mapping"))


def _not_a_rule(rest: MapNode) -> list[Fault]:
    """A file without `rule:` misses that key if its keys are a rule's, else they are unknown."""
    keys = [key for key, _ in rest.items]
    if sum(key.value in RULE.index for key in keys) * 2 > len(keys):
        message = "a rule needs the key 'rule': its id"
        near = next((k for k in keys if k.value not in RULE.index), None)
        if near is not None and did_you_mean(near.value, ["rule"]):
            message = f"unknown key '{near.value}'"
            return [fault_at(near, "B201", message, hint="did you mean 'rule'?")]
        return [fault_at(rest, "B202", message, hint="rule: the-name-of-this-file")]
    known = ("rule", *SECTIONS)
    return [
        fault_at(
            key,
            "B201",
            f"unknown key '{key.value[:60]}' at the top of a file",
            expected=listed(known),
            hint=did_you_mean(key.value, known),
        )
        for key in keys
    ]


def _cut_template(path: str, raw: bytes, parts: Parts, faults: Faults) -> None:
    pieces = path.split("/")
    name, file = "/".join(pieces[1:-1]), pieces[-1].split(".")
    place = Place(path, 1, 1)
    if not name or len(file) != 3:
        expected = "templates/<name>/<language>.<channel>.txt or .html"
        message = f"'{path}' does not say its language and channel"
        faults.append(Fault("B216", place, message, expected))
        return
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        faults.append(Fault("B101", Place(path, line, 1), "the template is not UTF-8", "UTF-8"))
        return
    form = cast("Literal['txt', 'html']", file[2])
    parts.templates.append(Template(name, file[0], file[1], form, text))


def unique(pairs: list[Named], what: str, faults: Faults) -> dict[str, Named]:
    """Name → (name, value); a name defined twice is a fault that names both places."""
    found: dict[str, Named] = {}
    for name, value in pairs:
        first = found.setdefault(name.value, (name, value))[0]
        if first is not name:
            message = f"{what} '{name.value}' is defined twice: first at {place_of(first)}"
            faults.append(fault_at(name, "B213", message, hint="rename or remove one"))
    return found
