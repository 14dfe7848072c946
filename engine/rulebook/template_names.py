"""Templates as data: which variables a text uses, and whether it keeps to the small language.

In: a Jinja2 text. Out: the names it reads, or a `Fault` with its line.
Only what is listed in `NODES` and `FILTERS` may be written, so that rendering is bounded: no loops,
calls, arithmetic or assignment. A figure that needs working out belongs into the rule's `with`.
Source: Jinja2's sandbox bounds access, not time or size; docs/decisions/0003-templates.md.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

import jinja2
from jinja2 import nodes

from belfry.engine.faults import Fault, Place

TEMPLATE_MAX = 20_000  # characters of one text; the longest statutory email we know has 9,000
DEPTH_MAX = 20  # nested ifs and brackets
LINE_MAX = 200  # characters of a line that a fault shows

# What every template may read beside the rule's own `with`; set by belfry.engine.dispatch.
STANDARD_NAMES = frozenset((
    "account", "at", "bank", "card", "customer", "event",
    "features", "loan", "rule", "segments", "tier",
))  # fmt: skip

CODES: dict[str, str] = {
    "B601": "a template is too long",
    "B602": "a template cannot be read",
    "B603": "a template is nested too deep",
    "B604": "a template uses what is not allowed there",
    "B605": "a name starts with an underscore",
    "B606": "unknown filter",
    "B607": "unknown test after `is`",
}

FILTERS = ("date", "default", "lower", "masked", "money", "number", "percent", "time", "upper")
TESTS = ("defined", "undefined")
NODES: tuple[type[nodes.Node], ...] = (
    nodes.And,
    nodes.Compare,
    nodes.CondExpr,
    nodes.Const,
    nodes.Filter,
    nodes.Getattr,
    nodes.If,
    nodes.Keyword,
    nodes.List,
    nodes.Name,
    nodes.Not,
    nodes.Operand,
    nodes.Or,
    nodes.Output,
    nodes.Template,
    nodes.TemplateData,
    nodes.Test,
    nodes.Tuple,
)

# What authors reach for, in their words: node → what it is called, what to do instead.
REFUSED: dict[type[nodes.Node], tuple[str, str]] = {
    nodes.Assign: ("set", "work the value out in the rule: notify: {with: {name: expression}}"),
    nodes.Call: ("a call", "use a filter, e.g. {{ event.amount | money }}"),
    nodes.Concat: ("~", "write the parts one after the other"),
    nodes.Extends: ("extends", "repeat the text: each template stands alone"),
    nodes.FilterBlock: ("a filter block", "apply the filter to each value"),
    nodes.For: ("for", "a message says one thing; work lists out in the rule"),
    nodes.Getitem: ("[ ]", "write a dot: event.merchant.name"),
    nodes.Import: ("import", "repeat the text: each template stands alone"),
    nodes.Include: ("include", "repeat the text: each template stands alone"),
    nodes.Macro: ("macro", "repeat the text: each template stands alone"),
}
ARITHMETIC_REMEDY = "work the value out in the rule: notify: {with: {name: expression}}"

_GRAMMAR = jinja2.Environment(autoescape=False)  # noqa: S701  (parses only; notifiers/render.py renders)


@dataclass(frozen=True, slots=True)
class TemplateNames:
    """`names`: the variables (`event`). `paths`: the same with their dots (`event.amount`)."""

    names: frozenset[str]
    paths: frozenset[str]


def names_used(text: str, *, file: str = "template") -> frozenset[str] | Fault:
    """The variables of a template, or the first thing in it that may not be there."""
    checked = check_template(text, file=file)
    return checked.names if isinstance(checked, TemplateNames) else checked[0]


def check_template(text: str, *, file: str = "template") -> TemplateNames | tuple[Fault, ...]:
    """All variables of a template, or all its faults in the order of their lines."""
    source = _Source(text, file)
    if len(text) > TEMPLATE_MAX:
        message = f"the template has {len(text)} characters"
        return (source.fault("B601", 1, message, expected=f"at most {TEMPLATE_MAX}"),)
    try:
        tree = _GRAMMAR.parse(text)
    except jinja2.TemplateSyntaxError as problem:
        return (source.fault("B602", problem.lineno, problem.message or "not a template"),)
    except RecursionError:
        return (source.fault("B603", 1, "the template is nested too deep"),)
    faults = tuple(_faults(tree, source))
    if faults:
        return tuple(sorted(faults, key=lambda fault: fault.place))
    return TemplateNames(
        names=frozenset(name.name for name in tree.find_all(nodes.Name)),
        paths=frozenset(_paths(tree)),
    )


@dataclass(frozen=True, slots=True)
class _Source:
    """The text under check. Jinja2 knows lines only: a column is found by the word at fault."""

    text: str
    file: str

    def fault(
        self,
        code: str,
        line: int,
        message: str,
        *,
        token: str = "",
        expected: str | None = None,
        hint: str | None = None,
    ) -> Fault:
        lines = self.text.split("\n")
        shown = lines[line - 1][:LINE_MAX] if 0 < line <= len(lines) else ""
        is_found = bool(token) and token in shown
        column = shown.index(token) + 1 if is_found else 1
        width = len(token) if is_found else 1
        place = Place(self.file, line, column)
        return Fault(code, place, message, expected, hint, line=shown, width=width)

    def unknown(self, code: str, what: str, node: nodes.Filter | nodes.Test) -> Fault:
        known = FILTERS if isinstance(node, nodes.Filter) else TESTS
        near = difflib.get_close_matches(node.name, known, n=1)
        return self.fault(
            code,
            node.lineno,
            f"unknown {what} {node.name!r}",
            token=node.name,
            expected="one of " + ", ".join(known),
            hint=f"did you mean {near[0]!r}?" if near else None,
        )


def _faults(tree: nodes.Template, source: _Source) -> Iterator[Fault]:
    pending: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while pending:
        node, depth = pending.pop()
        if depth > DEPTH_MAX:
            yield source.fault("B603", node.lineno, "the template is nested too deep")
        elif not isinstance(node, NODES):
            yield _refused(node, source)
        else:
            yield from _node_faults(node, source)
            pending.extend((child, depth + 1) for child in node.iter_child_nodes())


def _refused(node: nodes.Node, source: _Source) -> Fault:
    word = getattr(node, "operator", None) or type(node).__name__.lower()
    name, remedy = REFUSED.get(type(node), (word, ARITHMETIC_REMEDY))
    message = f"{name} is not allowed in a template"
    return source.fault("B604", node.lineno, message, token=name, hint=remedy)


def _node_faults(node: nodes.Node, source: _Source) -> Iterator[Fault]:
    """What is wrong with a node of an allowed kind: names that start with _, unknown filters."""
    match node:
        case nodes.Name(name=name) | nodes.Getattr(attr=name) if name.startswith("_"):
            message = f"{name!r} starts with an underscore"
            yield source.fault("B605", node.lineno, message, token=name)
        case nodes.Filter() if node.name not in FILTERS:
            yield source.unknown("B606", "filter", node)
        case nodes.Test() if node.name not in TESTS:
            yield source.unknown("B607", "test", node)
        case _:
            pass


def _paths(tree: nodes.Template) -> Iterator[str]:
    inner = {id(node.node) for node in tree.find_all(nodes.Getattr)}
    for node in tree.find_all((nodes.Name, nodes.Getattr)):
        if id(node) not in inner:
            yield _dotted(node)


def _dotted(node: nodes.Node) -> str:
    parts: list[str] = []
    while isinstance(node, nodes.Getattr):
        parts.append(node.attr)
        node = node.node
    if isinstance(node, nodes.Name):
        parts.append(node.name)
    return ".".join(reversed(parts))
