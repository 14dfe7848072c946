"""What an author is told: every fault with its code, its place, and the way out."""

import time

import pytest

from belfry.engine.expressions import Expression, Name, Scope, parse_expression
from belfry.engine.faults import Fault, Place
from belfry.engine.fields import Kind

NAMES = (
    Name("amount", Kind.NUMBER, nullable=False),
    Name("balance", Kind.NUMBER),
    Name("direction", Kind.TEXT, nullable=False, choices=("credit", "debit")),
    Name("currency", Kind.TEXT),
    Name("flag", Kind.BOOLEAN),
    Name("time", Kind.INSTANT, nullable=False),
    Name("card.expires_on", Kind.DATE),
    Name("merchant.country", Kind.TEXT),
    Name("customer.risk_profile", Kind.TEXT),
    Name("features.spend_mean_90d", Kind.NUMBER),
)
SCOPE = Scope({name.dotted: name for name in NAMES})
MACROS = {
    "large": "amount > 1000",
    "either": "flag or amount > 5",
    "wrong": "amout > 3",
    "one": "two and flag",
    "two": "one and flag",
    "open": "amount > 1) or (flag",
    **{f"bomb{n}": " and ".join([f"bomb{n + 1}"] * 9) for n in range(6)},
    "bomb6": "flag",
}
LISTS = {"atm": frozenset(["ATM", "6011"])}


def parse(
    text: str, want: Kind | None = Kind.BOOLEAN, line: str | None = None
) -> tuple[Expression | None, list[Fault]]:
    return parse_expression(
        text,
        place=Place("rules/r.yaml", 7, 7),
        scope=SCOPE,
        macros=MACROS,
        lists=LISTS,
        want=want,
        source_line=line,
    )


# text, code, column of the caret, width, a word of the message or hint
FAULTS = [
    ("amout > 1000", "B311", 7, 5, "did you mean 'amount'?"),
    ("amount > 1000 and custmer.risk_profile == 'x'", "B311", 25, 20, "'customer.risk_profile'"),
    ("expires_on > time", "B311", 7, 10, "'card.expires_on'"),
    ("merchant == 'x'", "B311", 7, 8, "name one of its fields"),
    ("currency in lists.amt", "B311", 19, 9, "'lists.atm'"),
    ("currency.lenght > 3", "B311", 16, 6, "'length'"),
    ("flag AND flag", "B310", 12, 3, "`AND` is not expected"),
    ("currency == 5", "B312", 7, 13, 'write "5"'),
    ('amount == "5"', "B312", 7, 13, "without quotes"),
    ('amount != "x"', "B312", 7, 13, "compares a number with a text"),
    ("amount in lists.atm", "B312", 7, 19, "looks for a number"),
    ('amount in ["a", "b"]', "B312", 7, 20, "looks for a number"),
    ('currency in ["a", 5]', "B312", 19, 8, "one kind of value"),
    ("currency in []", "B312", 19, 2, "empty list"),
    ("flag > true", "B312", 7, 11, "has no order"),
    ("currency * 2 > 3", "B312", 7, 12, "does not go with a text and a number"),
    ("time + 5 > time", "B312", 7, 8, "does not go with"),
    ("amount > null", "B312", 7, 13, "compares a number with null"),
    ("-currency == 'x'", "B312", 8, 8, "does not go with a text"),
    ("amount / 0 > 1", "B312", 14, 1, "divides by zero"),
    ("flag ? 1 : 'x'", "B312", 14, 7, "one side is a number"),
    ("merchant.country.as_lower['x'] == 'y'", "B312", 33, 3, "whole number"),
    ("amount", "B313", 7, 6, "a boolean is expected here"),
    ("amount and flag", "B313", 7, 15, "a condition is expected"),
    ("not amount", "B313", 11, 6, "a condition is expected"),
    ('direction == "debt"', "B321", 20, 6, "did you mean 'debit'?"),
    ('direction in ["debit", "kredit"]', "B321", 20, 19, "did you mean 'credit'?"),
    ("amount >", "B310", 15, 1, "the end is not expected"),
    ("(amount > 5", "B310", 18, 1, "the end is not expected"),
    ("amount = 5", "B310", 14, 1, "did you mean `==`?"),
    ("flag && flag", "B310", 12, 2, "did you mean `and`?"),
    ("!flag", "B310", 7, 1, "did you mean `not`?"),
    ("1 < amount < 5", "B310", 18, 1, "write `a < b and b < c`"),
    ("amount > 30y", "B310", 16, 3, "durations as 2w, 30d"),
    ("amount > 1_000", "B310", 16, 5, "write numbers as 1000"),
    ("amount > 0x1F", "B310", 16, 4, "neither a number nor"),
    ('currency == "CZ', "B310", 19, 1, "no end"),
    ("amount > 5 € 3", "B310", 18, 1, "means nothing here"),
    ('time > d"2026-02-30"', "B310", 14, 13, "no such date"),
    ('time - time > t"P1M"', "B310", 21, 6, "not a duration"),
    ('currency == "\\d"', "B310", 20, 2, "to keep backslashes"),
    ("amount ** 2 > 5", "B314", 14, 2, "powers are refused"),
    ("amount << 100000000 > 5", "B314", 14, 2, "shifts are refused"),
    ("[x for x in currency] == 1", "B314", 10, 3, "comprehensions are refused"),
    ("$now > time", "B314", 7, 4, "use `time`"),
    ("$range(100000000) == 1", "B314", 7, 6, "bounded and pure"),
    ("$random > 1", "B314", 7, 7, "replay"),
    ("amount > nan", "B314", 16, 3, "no amount of anything"),
    ("amount > 1e999999", "B314", 16, 8, "digits"),
    ("time - time > 99999999d", "B314", 21, 9, "100 years"),
    ('b"x" == b"y"', "B314", 7, 4, "bytes"),
    ('currency =~ "(?=a)"', "B315", 19, 7, "RE2 refuses"),
    ("currency =~ merchant.country", "B315", 19, 8, "must be written here"),
    ("balance ?? 0 > 10", "B318", 15, 2, "`(x ?? 0) > 10`"),
    ("balance ?? 500 * 1.2 > 10", "B318", 15, 2, "in parentheses"),
    ("flag ?? amount > 10", "B318", 12, 2, "in parentheses"),
    ("one", "B319", 7, 3, "one → two → one"),
    ("flag and wrong", "B311", 16, 5, "in macro `wrong`: unknown name `amout`"),
    ("flag and open", "B310", 16, 4, "in macro `open`"),
]


@pytest.mark.parametrize(("text", "code", "column", "width", "word"), FAULTS)
def test_a_fault_names_its_code_and_place_and_leads_out(
    text: str, code: str, column: int, width: int, word: str
) -> None:
    expression, faults = parse(text)
    fault = faults[0]
    assert expression is None
    assert (fault.code, fault.place.column, fault.width) == (code, column, width)
    assert (fault.place.file, fault.place.line) == ("rules/r.yaml", 7)
    assert word in f"{fault.message}; {fault.hint}"


def test_all_unknown_names_are_said_at_once_even_where_the_grammar_gives_up() -> None:
    _, faults = parse("amout > 1 and ballance < 5 and and curency == 'x'")
    assert [fault.place.column for fault in faults] == [7, 21, 38, 42]
    assert [fault.code for fault in faults] == ["B311", "B311", "B310", "B311"]


def test_one_mistake_is_said_once() -> None:
    for text in ("amout + 5 > currency", "-amout > 3 and not amout.length", "currency * 2 > 3"):
        _, faults = parse(text)
        assert len({fault.place.column for fault in faults}) == len(faults)
        assert {fault.code for fault in faults} <= {"B311"} or len(faults) == 1


def test_all_type_faults_are_said_at_once() -> None:
    _, faults = parse('amount == "x" and currency > 5 and direction == "debt"')
    assert [fault.code for fault in faults] == ["B312", "B312", "B321"]


def test_the_fault_shows_the_source_line_under_its_caret() -> None:
    line = "when: amout > 1000"
    _, faults = parse("amout > 1000", line=line)
    assert faults[0].line == line
    assert line[faults[0].place.column - 1 :].startswith("amout")


def test_without_a_source_line_the_text_is_shown_where_it_stands() -> None:
    _, faults = parse("flag and amout > 1000")
    assert faults[0].line is not None
    assert faults[0].line[faults[0].place.column - 1 :].startswith("amout")


def test_a_fault_in_a_later_line_of_a_block_has_that_line() -> None:
    _, faults = parse("flag and\namout > 1000")
    assert (faults[0].place.line, faults[0].place.column) == (8, 1)
    assert faults[0].line == "amout > 1000"


def test_a_macro_is_one_operand_whatever_is_in_it() -> None:
    expression, _ = parse("flag and either")
    assert expression is not None
    assert [part.text for part in expression.conjuncts] == ["flag", "flag or amount > 5"]


HOSTILE = [
    "(" * 2000 + "flag" + ")" * 2000,
    "not " * 900 + "flag",
    "-" * 3000 + "amount > 1",
    " and ".join(["flag"] * 700),
    " + ".join(["amount"] * 400) + " > 1",
    "flag ? " * 300 + "flag" + " : flag" * 300,
    "(" * 38 + "flag" + " == flag)" * 38,
    "(" * 38 + "flag" + " ? flag : flag)" * 38,
    "(" * 38 + "flag" + " ?? flag)" * 38,
    "[" * 1500,
    '"' * 3999,
    "a" * 5000,
    "9" * 3000 + " > amount",
    "time - time > " + "9" * 3000 + "d",
    "currency[0:" + "9" * 300 + "] == 'x'",
    "bomb0",
    "\x00",
    "",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:20].encode("unicode_escape"))
def test_hostile_text_is_refused_at_once(text: str) -> None:
    started = time.perf_counter()
    expression, faults = parse(text)
    assert expression is None
    assert faults
    assert time.perf_counter() - started < 1


def test_a_pattern_that_is_exponential_elsewhere_is_linear_here() -> None:
    expression, faults = parse('currency =~ "^(a+)+$"')
    assert expression is not None
    assert faults == []
