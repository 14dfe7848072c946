"""Expressions: the rule-engine language, as far as it is bounded and pure, compiled to Python.

In: text and the names it may read. Out: `Expression` (checked, typed, with places) or faults;
generated source; explanations; what an index can use.
Invariant: missing is unknown; a condition is definitely true, definitely false, or unknown.
Why not rule-engine's own parser: docs/decisions/0004-our-own-expression-parser.md.
"""

from belfry.engine.expressions.compile import (
    Constants,
    false_source,
    true_source,
    value_source,
)
from belfry.engine.expressions.evaluate import compile_predicate, compile_value, evaluate
from belfry.engine.expressions.explain import Explanation, explain, nearest_failing, render
from belfry.engine.expressions.expression import Expression, Name, Scope, parse_expression
from belfry.engine.expressions.selectivity import equalities, thresholds

__all__ = [
    "Constants",
    "Explanation",
    "Expression",
    "Name",
    "Scope",
    "compile_predicate",
    "compile_value",
    "equalities",
    "evaluate",
    "explain",
    "false_source",
    "nearest_failing",
    "parse_expression",
    "render",
    "thresholds",
    "true_source",
    "value_source",
]
