"""One generated function per event type that finds the rules whose condition holds.

In: the rules looked at directly. Out: `Look(x)`: None, or the rules that are true and those that
are unknown.
Up to INDEX_FROM rules: one fused function. Beyond: an index (equality, then threshold) in front of
single ones.
Invariant: the index only leaves out rules that cannot be true; every hit has passed its full
condition.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from belfry.engine.expressions import Expression, equalities, false_source, thresholds, true_source
from belfry.engine.expressions.tree import Read, children
from belfry.engine.program.conditions import Conditions
from belfry.engine.program.reads import Reader, is_costly
from belfry.engine.rulebook.model import Rule
from belfry.engine.sight import Sight

INDEX_FROM = 48  # below it one fused function is faster than looking up (docs/performance.md)

Found = tuple[list[Rule], list[Rule]]
Look = Callable[[Sight], Found | None]
MayPass = Callable[[str, str, Decimal], str | None]  # a threshold → a cheap test that it needs
Load = Callable[[str], list[str]]  # a feature's name → lines that put its value into its variable
Entry = tuple["_Single", "Tests"]


@dataclass(slots=True)
class Defined:
    """Names of what was defined, to be resolved once the source is compiled."""

    rules: list[Rule]
    event_type: str
    space: Mapping[str, Any]
    fused: str | None = None
    tests: dict[str, Tests] = field(default_factory=dict)
    reads: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Tests:
    """What an index can use of a rule: equalities and thresholds on names that cost nothing."""

    equal: list[tuple[str, frozenset[Any]]]
    edges: list[tuple[str, bool, Decimal]]


def define_look(
    cond: Conditions, rules: list[Rule], event_type: str, space: Mapping[str, Any]
) -> Defined:
    """Write the source for these rules; with many, only what the index reads."""
    defined = Defined(rules, event_type, space)
    if len(rules) <= INDEX_FROM:
        defined.fused = _fused(cond, rules, event_type)
        return defined
    for rule in rules:
        tests = defined.tests[rule.id] = _tests(rule)
        for name in [name for name, _ in tests.equal] + [name for name, _, _ in tests.edges]:
            if name not in defined.reads:
                source = cond.reader(event_type).source(name)
                defined.reads[name] = cond.define(f"return {source}")
    return defined


def _tests(rule: Rule) -> Tests:
    if rule.when is None:
        return Tests([], [])
    equal = [one for one in equalities(rule.when) if not is_costly(one[0])]
    edges = [
        (name, sign in (">", ">="), edge)
        for name, sign, edge in thresholds(rule.when)
        if not is_costly(name)
    ]
    return Tests(equal, edges)


def finish_look(cond: Conditions, defined: Defined) -> Look:
    """The function itself."""
    if defined.fused is not None:
        fused: Look = cond[defined.fused]
        return fused
    return _Index(cond, defined).look


def _fused(cond: Conditions, rules: list[Rule], event_type: str) -> str:
    reader = cond.reader(event_type)

    def load(name: str) -> list[str]:
        return [f"{reader(name)} = {reader.source(name)}"]

    lines = look_lines(cond, rules, reader, load, lambda name, sign, edge: None)
    cheap = reader.loads([name for name in reader.locals if not is_costly(name)])
    return cond.define(*cheap, *lines, "return found")


def look_lines(
    cond: Conditions, rules: list[Rule], reader: Reader, load: Load, may_pass: MayPass
) -> list[str]:
    """Lines that leave in `found` what `Look` returns. The caller loads the names that cost
    nothing; features are loaded by the lines of `load`, once, where a rule gets that far.
    """
    blocks = [_block(cond, rule, reader, load, may_pass) for rule in rules]
    costly = [reader.locals[name] for name in reader.locals if is_costly(name)]
    memo = [" = ".join(costly) + " = UNSET"] if costly else []
    return [*memo, "found = None", *(line for block in blocks for line in block)]


def _block(
    cond: Conditions, rule: Rule, reader: Reader, load: Load, may_pass: MayPass
) -> list[str]:
    constant = cond.constants.add(rule)
    if rule.when is None and rule.except_ is None:
        return _note(0, constant, "")
    parts, fails = [], []
    if rule.when is not None:
        parts.append(true_source(rule.when, reader, cond.constants))
        fails.append(false_source(rule.when, reader, cond.constants))
    if rule.except_ is not None:
        parts.append(false_source(rule.except_, reader, cond.constants))
        fails.append(true_source(rule.except_, reader, cond.constants))
    names = dict.fromkeys(n for e in (rule.when, rule.except_) if e is not None for n in e.reads)
    loads = []
    for name in names:
        if is_costly(name):
            loads.append(f"if {reader(name)} is UNSET:")
            loads += ["    " + line for line in load(name)]
    nullable = [reader(n) for n in sorted(_nullable(rule), key=list(names).index)]
    missing = " or ".join(f"{variable} is None" for variable in nullable)
    body = [f"if {' and '.join(parts)}:", *_note(0, constant)]
    if missing:
        sure = " or ".join(f"({fail})" for fail in fails)
        body += [f"elif ({missing}) and not ({sure}):", *_note(1, constant)]
    guards = _cheap_parts(rule.when, reader, cond, may_pass) if loads else []
    if not guards:
        return loads + body
    return [f"if {' and '.join(guards)}:"] + ["    " + line for line in loads + body]


def _note(place: int, constant: str, indent: str = "    ") -> list[str]:
    """Found one: true (0) or unknown (1). The lists are only made when there is something."""
    lines = ["if found is None:", "    found = ([], [])", f"found[{place}].append({constant})"]
    return [indent + line for line in lines]


def _nullable(rule: Rule) -> set[str]:
    """The names that may be missing."""
    found: set[str] = set()
    pending = [e.tree for e in (rule.when, rule.except_) if e is not None]
    while pending:
        node = pending.pop()
        if isinstance(node, Read) and node.nullable:
            found.add(node.dotted)
        pending.extend(children(node))
    return found


def _cheap_parts(
    when: Expression | None, reader: Reader, cond: Conditions, may_pass: MayPass
) -> list[str]:
    """What is asked before features are read: where one of these fails the rule is false."""
    if when is None:
        return []
    cheap = [part for part in when.conjuncts if not any(map(is_costly, part.reads))]
    parts = [f"not ({false_source(part, reader, cond.constants)})" for part in cheap]
    return parts + [test for one in thresholds(when) if (test := may_pass(*one))]


class _Single:
    """One rule's own function, compiled when the index first lets it through."""

    __slots__ = ("cond", "defined", "look", "rule")

    def __init__(self, cond: Conditions, defined: Defined, rule: Rule) -> None:
        self.cond, self.defined, self.rule = cond, defined, rule
        self.look: Look | None = None

    def __call__(self, x: Sight) -> Found | None:
        if self.look is None:
            own = Conditions(self.cond.types, self.cond.feature_names)
            name = _fused(own, [self.rule], self.defined.event_type)
            own.finish(self.defined.space)
            self.look = own[name]
        return self.look(x)


class _Index:
    """Rules by their rarest equality, then by a threshold; the rest is asked each time."""

    def __init__(self, cond: Conditions, defined: Defined) -> None:
        self.reads = {name: cond[function] for name, function in defined.reads.items()}
        order = {rule.id: place for place, rule in enumerate(defined.rules)}
        self.order = lambda rule: order[rule.id]
        distinct: dict[str, set[Any]] = {}
        for tests in defined.tests.values():
            for name, values in tests.equal:
                distinct.setdefault(name, set()).update(values)
        by_value: dict[str, dict[Any, list[Entry]]] = {}
        rest: list[Entry] = []
        for rule in defined.rules:
            tests = defined.tests[rule.id]
            entry = _Single(cond, defined, rule), tests
            if not tests.equal:
                rest.append(entry)
                continue
            name, values = max(
                tests.equal, key=lambda one: (len(distinct[one[0]]) / len(one[1]), one[0])
            )
            for value in values:
                by_value.setdefault(name, {}).setdefault(value, []).append(entry)
        self.by_value = {
            name: {value: _Bucket(entries, self.reads) for value, entries in values.items()}
            for name, values in by_value.items()
        }
        self.rest = _Bucket(rest, self.reads)

    def look(self, x: Sight) -> Found | None:
        found: Found = ([], [])
        self.rest.look(x, found)
        for name, buckets in self.by_value.items():
            bucket = buckets.get(self.reads[name](x))
            if bucket is not None:
                bucket.look(x, found)
        if not found[0] and not found[1]:
            return None
        found[0].sort(key=self.order)
        return found


class _Bucket:
    """Rules sorted by one threshold each: a bisection leaves out those that cannot hold."""

    def __init__(self, entries: list[Entry], reads: dict[str, Any]) -> None:
        self.reads = reads
        self.always: list[_Single] = []
        groups: dict[tuple[str, bool], list[tuple[Decimal, _Single]]] = {}
        common = Counter(
            (name, is_above) for _, tests in entries for name, is_above, _ in tests.edges
        )
        for single, tests in entries:
            if not tests.edges:
                self.always.append(single)
                continue
            name, is_above, edge = max(
                tests.edges, key=lambda one: (common[one[0], one[1]], one[0])
            )
            groups.setdefault((name, is_above), []).append((edge, single))
        for members in groups.values():
            members.sort(key=lambda one: one[0])
        self.groups = [
            (name, is_above, [edge for edge, _ in members], [single for _, single in members])
            for (name, is_above), members in groups.items()
        ]

    def look(self, x: Sight, found: Found) -> None:
        for one in self.always:
            _collect(one(x), found)
        for name, is_above, numbers, looks in self.groups:
            value = self.reads[name](x)
            if value is None:
                continue
            if is_above:
                possible = looks[: bisect_right(numbers, value)]
            else:
                possible = looks[bisect_left(numbers, value) :]
            for one in possible:
                _collect(one(x), found)


def _collect(one: Found | None, found: Found) -> None:
    if one is not None:
        found[0].extend(one[0])
        found[1].extend(one[1])
