"""Evaluates an expression over names: for cold paths, by the same generated code as the hot one.

In: an expression and values by dotted name. Out: the value; None is unknown.
Invariant: equal to what `true_source`, `false_source` and `value_source` decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from belfry.engine.expressions.compile import Compiler, Constants
from belfry.engine.expressions.expression import Expression
from belfry.engine.expressions.tree import Node, Read
from belfry.engine.fields import Kind

Predicate = Callable[[Mapping[str, Any]], Any]


def evaluate(expression: Expression, values: Mapping[str, Any]) -> Any:
    """The value over names: bool, Decimal, text … or None for unknown."""
    return evaluate_tree(expression.tree, values)


def compile_predicate(expression: Expression) -> Predicate:
    """A function of a mapping: True, False or None for a condition, the value for anything else."""
    tree = expression.tree
    return lambda values: evaluate_tree(tree, values)


def compile_value(expression: Expression) -> Predicate:
    """As `compile_predicate`, for callers that tell unknown from what cannot be computed.

    The function may raise ArithmeticError.
    """
    is_true, is_false = _compiled(expression.tree)
    if expression.kind is not Kind.BOOLEAN:
        return is_true
    return lambda values: True if is_true(values) else False if is_false(values) else None


def evaluate_tree(tree: Node, values: Mapping[str, Any]) -> Any:
    """The value of a tree over names; None: unknown. What can't be computed is unknown too."""
    is_true, is_false = _compiled(tree)
    try:
        if tree.kind is not Kind.BOOLEAN:
            return is_true(values)
        return True if is_true(values) else False if is_false(values) else None
    except ArithmeticError:
        return None


@lru_cache(maxsize=4096)
def _compiled(tree: Node) -> tuple[Predicate, Predicate]:
    """Both forms. The cache asks the whole tree: equal texts may mean different names or lists."""
    constants = Constants()
    names: dict[str, str] = {}

    def read(dotted: str) -> str:
        return names.setdefault(dotted, f"v{len(names)}")

    compiler = Compiler(read, constants)
    if tree.kind is Kind.BOOLEAN:
        sources = compiler.true(tree), compiler.false(tree)
    elif isinstance(tree, Read):
        sources = read(tree.dotted), "False"
    else:
        sources = compiler.maybe(tree), "False"
    loads = "".join(f"    {name} = m.get({dotted!r})\n" for dotted, name in names.items())
    lines = [f"def f{i}(m):\n{loads}    return {source}\n" for i, source in enumerate(sources)]
    space: dict[str, Any] = {"__builtins__": {}, **constants.names}
    exec(compile("".join(lines), "<expression>", "exec"), space)  # noqa: S102  our own source
    return space["f0"], space["f1"]
