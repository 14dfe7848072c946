"""A rulebook from the bytes of its files: read, checked, typed, linted, hashed.

In: path → bytes, paths relative to the rulebook with `/`. Out: the `Rulebook`, or None if there is
any error; and all faults at once, errors and warnings, in file order.
The order in which files are given makes no difference.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

from belfry.engine.event_types import Declared, event_types
from belfry.engine.faults import Fault, Place, Severity
from belfry.engine.rulebook.book import Book
from belfry.engine.rulebook.content import content_hash, hash_of, hash_of_all
from belfry.engine.rulebook.declarations import (
    macro_texts,
    read_declarations,
    read_lists,
    read_macros,
)
from belfry.engine.rulebook.features import read_features, read_segments
from belfry.engine.rulebook.lint import lint
from belfry.engine.rulebook.model import Rule, Rulebook
from belfry.engine.rulebook.parts import Parts, cut
from belfry.engine.rulebook.policies import read_policies
from belfry.engine.rulebook.reading import Reading
from belfry.engine.rulebook.rules import Ground, read_rules
from belfry.engine.rulebook.scopes import Scopes
from belfry.engine.rulebook.series import read_series
from belfry.engine.rulebook.templates import read_templates
from belfry.engine.rulebook.yaml_nodes import TextNode, place_of


def load_rulebook(files: Mapping[str, bytes]) -> tuple[Rulebook | None, list[Fault]]:
    """The rulebook and every fault. Warnings alone do not keep it from loading."""
    loaded = load(files)
    return loaded.book, loaded.faults


class Loaded(NamedTuple):
    """`declared`: what the event types were made from. `rules`: how many were written."""

    book: Rulebook | None
    faults: list[Fault]
    declared: tuple[Declared, ...]
    rules: int


def load(files: Mapping[str, bytes]) -> Loaded:
    """As `load_rulebook`, with what else is known then."""
    faults: list[Fault] = []
    parts = cut(files, faults)
    declared = read_declarations(parts.of("events"), faults)
    types = event_types(declared)
    lists = read_lists(parts.of("lists"), faults)
    macros = read_macros(parts.of("macros"), faults)
    features_named = frozenset(name.value for name, _ in parts.of("features"))
    reading = Reading(macro_texts(macros), lists, faults, features_named)
    features = read_features(parts.of("features"), types, reading)
    segments = read_segments(parts.of("segments"), Scopes(types, features), reading)
    series = read_series(parts.of("series"), types, reading)
    policies = read_policies(parts, faults)
    scopes = Scopes(types, features, segments, series)
    ground = Ground(scopes, policies, reading, _rule_ids(parts))
    rules = read_rules(parts.rules, ground)
    templates = read_templates(parts.templates, faults)
    book = Rulebook(
        hash=_hash(parts, rules),
        rules=dict(sorted(rules.items())),
        features=features,
        segments=segments,
        lists=lists,
        macros=macro_texts(macros),
        policies=policies,
        templates=templates,
        event_types=types,
        series=series,
    )
    is_whole = not any(fault.severity is Severity.ERROR for fault in faults)
    faults.extend(lint(Book(book, parts, macros), is_whole=is_whole))
    faults = _presented(faults, parts)
    if any(fault.severity is Severity.ERROR for fault in faults):
        return Loaded(None, faults, declared, len(parts.rules))
    book = dataclasses.replace(book, warnings=tuple(faults))
    return Loaded(book, faults, declared, len(parts.rules))


def _rule_ids(parts: Parts) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for node in parts.rules:
        name = node.get("rule")
        if isinstance(name, TextNode):
            found[name.value] = place_of(name)
    return found


def _hash(parts: Parts, rules: Mapping[str, Rule]) -> str:
    """Content only: comments, layout, the order of files and of what they define."""
    texts = [f"rule {rule.text_hash}" for rule in rules.values()]
    for section, pairs in parts.named.items():
        texts += [f"{section} {name.value} {content_hash(node)}" for name, node in pairs]
    # The order of classes is their rank; that of a segment's values is inside its node.
    texts.append("classes " + " ".join(name.value for name, _ in parts.of("classes")))
    for section, nodes in parts.listed.items():
        texts += [f"{section} {content_hash(node)}" for node in nodes]
    texts += [f"bank {content_hash(node)}" for node in parts.bank]
    texts += [
        f"template {one.name} {one.language} {one.channel} {one.format} {hash_of(one.text)}"
        for one in parts.templates
    ]
    return hash_of_all(texts)


def _presented(faults: list[Fault], parts: Parts) -> list[Fault]:
    """In file order, each once, each with its source line."""
    found: dict[tuple[object, ...], Fault] = {}
    for fault in faults:
        source = parts.sources.get(fault.place.file)
        if fault.line is None and source is not None:
            fault = dataclasses.replace(fault, line=source.line(fault.place.line))
        found.setdefault((fault.place, fault.code, fault.message), fault)
    return sorted(found.values(), key=lambda fault: (fault.place, fault.code, fault.message))
