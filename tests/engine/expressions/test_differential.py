"""The compiled form decides what rule-engine does; with values missing, what Kleene's logic says.

Random typed expressions on random values. With none missing rule-engine evaluates the whole text.
Otherwise a reference asks rule-engine one operator at a time and adds the rule for unknown itself.
Planted bugs show that the comparison can fail.
"""

import datetime as dt
import random
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import pytest
import rule_engine
from rule_engine import DataType as Type

from belfry.engine.expressions import Constants, Expression, Name, Scope, explain, parse_expression
from belfry.engine.expressions.compile import false_source, true_source, value_source
from belfry.engine.faults import Place
from belfry.engine.fields import Kind

UTC = dt.UTC
NUMBER, TEXT, BOOLEAN, INSTANT = Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN, Kind.INSTANT
DATE, DURATION = Kind.DATE, Kind.DURATION
LISTS = {"atm": frozenset(["CZ", "b"]), "sums": frozenset([Decimal(3), Decimal("0.5")])}
TYPES = {
    NUMBER: Type.FLOAT,
    TEXT: Type.STRING,
    BOOLEAN: Type.BOOLEAN,
    INSTANT: Type.DATETIME,
    DATE: Type.DATETIME,
    DURATION: Type.TIMEDELTA,
}
NAMES = {
    NUMBER: ("amount", "count", "features.mean", "account.balance"),
    TEXT: ("currency", "merchant.country", "customer.nick"),
    BOOLEAN: ("flag", "customer.vip"),
    INSTANT: ("time", "features.last"),
    DATE: ("customer.born", "card.expires_on"),
    DURATION: ("gap",),
}
KINDS = {name: kind for kind, names in NAMES.items() for name in names}
SCOPE = Scope({name: Name(name, kind, nullable=True) for name, kind in KINDS.items()})
SURE_SCOPE = Scope({name: Name(name, kind, nullable=False) for name, kind in KINDS.items()})
POOL: dict[Kind, list[Any]] = {
    NUMBER: [0, 1, 3, -7, 500, Decimal("0.5"), Decimal("-0.1"), Decimal(500), Decimal("1E+10")],
    TEXT: ["", "CZ", "cz", "abc", "b", "Ünïcode", 'q"uote', "{x}"],
    BOOLEAN: [True, False],
    INSTANT: [
        dt.datetime(2026, 3, 1, tzinfo=UTC),
        dt.datetime(2026, 3, 2, 10, 15, 30, tzinfo=dt.timezone(dt.timedelta(hours=8))),
        dt.datetime(2024, 2, 29, 23, 59, tzinfo=UTC),
    ],
    DATE: [dt.date(2026, 3, 1), dt.date(2024, 2, 29), dt.date(1970, 1, 1)],
    DURATION: [dt.timedelta(days=30), dt.timedelta(minutes=-5), dt.timedelta(seconds=86400)],
}
LITERALS = {
    NUMBER: ("0", "3", "0.5", "500", "-7", "1e2"),
    TEXT: ('"CZ"', "'abc'", 'r"b"', '"{x}"', '"q\\"uote"'),
    BOOLEAN: (),
    INSTANT: ('d"2026-03-01"', 'd"2024-02-29T12:00:00+01:00"'),
    DURATION: ('t"P30D"', 't"PT10M"', 't"P1W"', 't"P1DT2H"'),
}


class Term(NamedTuple):
    """`form` is a text with `{0}`, `{1}` for the parts; `rule` names how unknown parts count."""

    kind: Kind
    form: str
    parts: tuple["Term", ...] = ()
    rule: str = "strict"

    def text(self, *, rng: random.Random | None = None) -> str:
        """As written: each part in parentheses, or (`rng`) in a random choice of them."""
        shown = []
        for part in self.parts:
            text = part.text(rng=rng)
            needs = bool(part.parts) and (rng is None or rng.random() < 0.6)
            needs = needs or (part.form in LITERALS[NUMBER] and "{0}." in self.form)
            shown.append(f"({text})" if needs else text)
        return self.form.format(*shown)


# --- random expressions --------------------------------------------------------------------------
class Maker:
    """Makes terms of a wanted kind."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def of(self, kind: Kind, depth: int) -> Term:
        if depth <= 0 or self.rng.random() < 0.15:
            return self.leaf(kind)
        makers = MAKERS[kind]
        form, kinds, rule = makers[self.rng.randrange(len(makers))]
        return Term(kind, form, tuple(self.of(one, depth - 1) for one in kinds), rule)

    def leaf(self, kind: Kind) -> Term:
        literals = LITERALS[kind]
        if literals and self.rng.random() < 0.4:
            return Term(kind, self.rng.choice(literals).replace("{", "{{").replace("}", "}}"))
        names = NAMES[kind] + (NAMES[DATE] if kind is INSTANT else ())
        return Term(kind, self.rng.choice(names), rule="name")

    def values(self, *, missing: float) -> dict[str, Any]:
        return {
            name: None if self.rng.random() < missing else self.rng.choice(POOL[kind])
            for name, kind in KINDS.items()
        }


LETTERS = {"n": NUMBER, "t": TEXT, "b": BOOLEAN, "i": INSTANT, "d": DURATION}
# What makes a value of a kind: `<n>` is a number, and so on; repeated forms come more often.
TABLE = {
    BOOLEAN: """
        <b> and <b>; <b> and <b>; <b> and <b>; <b> or <b>; <b> or <b>; <b> or <b>; not <b>; not <b>
        <n> < <n>; <n> <= <n>; <n> > <n>; <n> >= <n>; <n> == <n>; <n> != <n>; <n> >= <n>; <n> < <n>
        <t> == <t>; <t> != <t>; <t> < <t>; <t> >= <t>; <t> in <t>; <t> not in <t>; <b> == <b>
        <i> < <i>; <i> <= <i>; <i> > <i>; <i> >= <i>; <i> == <i>; <i> != <i>; <b> != <b>
        <d> < <d>; <d> <= <d>; <d> > <d>; <d> >= <d>; <d> == <d>; <d> != <d>
        <t> in ["CZ", "abc"]; <t> not in {{"CZ", "b", "x"}}; <n> in [0.5, 3, 500]; <n> in lists.sums
        <t> in lists.atm; <t> =~ "[a-c]+"; <t> =~~ "[zZ]$"; <t> !~ "C."; <t> !~~ "q|x"
        <t>.starts_with("C"); <t>.ends_with("c"); <t>.is_empty; <n> == null; <t> != null
        null != <i>; <b> ? <b> : <b>; <b> ?? <b>""",
    NUMBER: """
        <n> + <n>; <n> - <n>; <n> * <n>; <n> / <n>; <n> // <n>; <n> % <n>; -<n>; $abs(<n>)
        $min([<n>, <n>]); $max([<n>, <n>]); <t>.length; <n>.floor; <n>.ceiling; <i>.year; <i>.month
        <i>.day; <i>.hour; <i>.minute; <i>.second; <d>.days; <d>.total_seconds; <n> ?? <n>
        <b> ? <n> : <n>""",
    TEXT: """
        <t> + <t>; <t>.as_lower; <t>.as_upper; <t>[0]; <t>[-2]; <t>[1:3]; <t>[-2:]; <i>.weekday
        <t> ?? <t>; <b> ? <t> : <t>""",
    INSTANT: "<i> + <d>; <i> - <d>; <i>.date; <i> ?? <i>",
    DURATION: "<i> - <i>; <d> + <d>; <d> - <d>; -<d>",
}
RULES = {" and ": "and", " or ": "or", "not {": "not", " ?? ": "default", " ? ": "choice"}


def _row(text: str) -> tuple[str, tuple[Kind, ...], str]:
    kinds = tuple(LETTERS[letter] for letter in re.findall(r"<([ntbid])>", text))
    places = iter(range(len(kinds)))
    form = re.sub(r"<[ntbid]>", lambda _: f"{{{next(places)}}}", text)
    rule = "null" if "null" in form else "strict"
    return form, kinds, next((r for word, r in RULES.items() if word in form), rule)


MAKERS = {
    kind: [_row(text.strip()) for text in re.split(r";|\n", rows) if text.strip()]
    for kind, rows in TABLE.items()
}


# --- rule-engine, and the reference for what is missing ------------------------------------------
ERRORS = (rule_engine.errors.EngineError, ArithmeticError)
# rule-engine computes what is made of literals while it parses: `1 // 0` is refused there.
FOLDED = (rule_engine.errors.ArithmeticError, rule_engine.errors.LookupError)


def context(types: dict[str, Any]) -> rule_engine.Context:
    return rule_engine.Context(type_resolver=types, default_timezone="utc")


def _object(name: str, types: dict[str, Any]) -> Any:
    return Type.OBJECT(name, types, accessor=lambda thing, field: thing[field])


def _whole_types() -> dict[str, Any]:
    types: dict[str, Any] = {}
    for name, kind in KINDS.items():
        head, _, field = name.rpartition(".")
        if head:
            types.setdefault(head, {})[field] = TYPES[kind]
        else:
            types[name] = TYPES[kind]
    types["lists"] = {"atm": Type.SET(Type.STRING), "sums": Type.SET(Type.FLOAT)}
    return {n: _object(n, t) if isinstance(t, dict) else t for n, t in types.items()}


WHOLE_TYPES = _whole_types()
WHOLE = context(WHOLE_TYPES)


def thing_of(values: dict[str, Any]) -> dict[str, Any]:
    thing: dict[str, Any] = {"lists": {name: set(found) for name, found in LISTS.items()}}
    for name, value in values.items():
        head, _, field = name.rpartition(".")
        (thing.setdefault(head, {}) if head else thing)[field] = value
    return thing


@cache
def _operator(form: str, kinds: tuple[Kind, ...]) -> rule_engine.Rule:
    """One operator over operands `a`, `b`."""
    types = {name: TYPES[kind] for name, kind in zip("ab", kinds, strict=False)}
    return rule_engine.Rule(
        form.format("a", "b"), context=context({**types, "lists": WHOLE_TYPES["lists"]})
    )


def reference(term: Term, values: dict[str, Any]) -> Any:
    """Kleene's logic around rule-engine's operators."""
    if term.rule == "name":
        return values[term.form]
    found = [reference(part, values) for part in term.parts]
    match term.rule, found:
        case "and", _:
            return False if False in found else None if None in found else True
        case "or", _:
            return True if True in found else None if None in found else False
        case "not", [one]:
            return None if one is None else not one
        case "null", [one]:
            return (one is None) is ("==" in term.form)
        case "default", [one, other]:
            return other if one is None else one
        case "choice", [condition, yes, no]:
            return None if condition is None else yes if condition else no
    if None in found:
        return None
    rule = _operator(term.form, tuple(part.kind for part in term.parts))
    try:
        return rule.evaluate({**dict(zip("ab", found, strict=False)), **thing_of({})})
    except ERRORS:
        return None


# --- our own -------------------------------------------------------------------------------------
# Kinds that do not fit, no condition, never true, always true, `??` without parentheses.
SENSELESS = {"B312", "B313", "B316", "B317", "B318"}
Mutation = Callable[[str, str], tuple[str, str]]


def parsed(text: str, scope: Scope) -> Expression | None:
    """None: it makes no sense, by chance. What is well formed for rule-engine is so for us."""
    expression, faults = parse_expression(
        text, place=Place("r.yaml", 1, 1), scope=scope, lists=LISTS
    )
    if expression is None:
        codes = {fault.code for fault in faults}
        assert codes & SENSELESS or not rule_engine.Rule.is_valid(text, WHOLE), text
    return expression


def compiled(expression: Expression, mutate: Mutation) -> Callable[[dict[str, Any]], Any]:
    constants = Constants()
    local = {name: f"v{place}" for place, name in enumerate(KINDS)}
    if expression.kind is BOOLEAN:
        sources = [f(expression, local.__getitem__, constants) for f in (true_source, false_source)]
    else:
        sources = [value_source(expression, local.__getitem__, constants), "False"]
    first, second = mutate(*sources)
    space: dict[str, Any] = {"__builtins__": {}, "bool": bool, **constants.names}
    arguments = ", ".join(local.values())
    exec(f"def yes({arguments}): return {first}\ndef no({arguments}): return {second}", space)

    def decide(values: dict[str, Any]) -> Any:
        loaded = [values[name] for name in KINDS]
        try:
            if expression.kind is not BOOLEAN:
                return space["yes"](*loaded)
            sure, never = bool(space["yes"](*loaded)), bool(space["no"](*loaded))
        except ArithmeticError:
            return None
        except (AttributeError, TypeError):
            return "crashed"
        return "both" if sure and never else True if sure else False if never else None

    return decide


def same(one: Any, other: Any) -> bool:
    def plain(value: Any) -> Any:
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return dt.datetime.combine(value, dt.time(0), UTC)
        return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value

    one, other = plain(one), plain(other)
    return type(one) is type(other) and one == other


def unchanged(sure: str, never: str) -> tuple[str, str]:
    return sure, never


def durations(text: str) -> str:
    """Half of the durations as we write them."""
    return text.replace('t"P30D"', "30d").replace('t"PT10M"', "10m").replace('t"P1DT2H"', "1d2h")


class Tally(NamedTuple):
    """What was compared, and the first differences."""

    results: dict[Any, int]
    differences: list[str]


def differences(seed: int, count: int, mutate: Mutation = unchanged) -> Tally:
    """Compare `count` expressions, each on six sets of values, half of them with missing ones."""
    maker = Maker(seed)
    tally = Tally({}, [])
    while count:
        kind = BOOLEAN if count % 4 else maker.rng.choice([NUMBER, TEXT, INSTANT, DURATION])
        term = maker.of(kind, 4)
        text = durations(term.text()) if maker.rng.random() < 0.5 else term.text()
        expression = parsed(text, SCOPE)
        if expression is None:  # a contradiction, by chance
            continue
        count -= 1
        decide = compiled(expression, mutate)
        for missing in (0.0, 0.0, 0.0, 0.2, 0.4, 0.6):
            values = maker.values(missing=missing)
            expected, found = reference(term, values), decide(values)
            counted = expected if isinstance(expected, bool | None) else type(expected).__name__
            tally.results[counted] = tally.results.get(counted, 0) + 1
            if not same(expected, found):
                tally.differences.append(f"{text}\n  {values}\n  {expected!r} != {found!r}")
    return tally


# --- tests ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(4))
def test_compiled_conditions_agree_with_kleene_logic_over_rule_engine_operators(seed: int) -> None:
    tally = differences(seed, 300)
    assert tally.differences == []
    assert min(tally.results[truth] for truth in (True, False, None)) > 150


@pytest.mark.parametrize("seed", range(4))
def test_precedence_and_values_agree_with_rule_engine_on_the_whole_text(seed: int) -> None:
    """Parentheses are left out at random, so that both grammars have to group alike."""
    maker, compared, definite = Maker(100 + seed), 0, 0
    while compared < 250:
        kind = BOOLEAN if compared % 3 else maker.rng.choice([NUMBER, TEXT, INSTANT, DURATION])
        text = maker.of(kind, 4).text(rng=maker.rng)
        expression = parsed(durations(text), SURE_SCOPE)
        if expression is None:
            continue
        try:
            rule = rule_engine.Rule(text, context=WHOLE)
        except FOLDED:
            continue
        decide = compiled(expression, unchanged)
        compared += 1
        for _ in range(3):
            values = maker.values(missing=0.0)
            try:
                expected = rule.evaluate(thing_of(values))
            except ERRORS:
                continue  # how far an unknown reaches is the reference's subject
            definite += 1
            assert same(expected, decide(values)), f"{text}\n{values}"
    assert definite > 500


@pytest.mark.parametrize("seed", range(2))
def test_the_explanation_has_the_truth_that_was_compiled(seed: int) -> None:
    maker, compared = Maker(200 + seed), 0
    while compared < 150:
        expression = parsed(maker.of(BOOLEAN, 4).text(), SCOPE)
        if expression is None:
            continue
        compared += 1
        decide = compiled(expression, unchanged)
        values = maker.values(missing=0.3)
        assert explain(expression, values).truth is decide(values)


def _drop_guards(source: str) -> str:
    for place in range(len(KINDS)):
        source = source.replace(f"v{place} is not None and ", "")
    return source


PLANTED: dict[str, Mutation] = {
    "at least is taken for more than": lambda t, f: (t.replace(">=", ">"), f),
    "or is taken for and": lambda t, f: (t.replace(" or ", " and "), f),
    "the guard of a missing value is gone": lambda t, f: (_drop_guards(t), f),
    "what is missing compares as false": lambda t, f: (t, f"not {t}"),
    "not of unknown is true": lambda t, f: (f"not {f}", f),
    "quotients are not cut": lambda t, f: (t.replace(" // ", " / "), f),
    "remainders are quotients": lambda t, f: (t.replace(" % ", " / "), f),
    "a search matches from the start only": lambda t, f: (t.replace(".search(", ".match("), f),
    "membership is turned round": lambda t, f: (re.sub(r"(?<!not) in ", " not in ", t), f),
    "differences are sums": lambda t, f: (t.replace(" - ", " + "), f),
    "dates are not made instants": lambda t, f: (t.replace("midnight", ""), f),
    "the last condition of a choice wins": lambda t, f: (t.replace(" is False", ""), f),
    "unequal is taken for equal": lambda t, f: (t.replace(" != ", " == "), f),
    "counts are divided as floats": lambda t, f: (t.replace("Decimal", ""), f),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_the_comparison_catches_a_planted_bug(bug: str) -> None:
    assert any(differences(seed, 20, PLANTED[bug]).differences for seed in range(30))
