"""Made-up rulebooks and events for the benchmarks: same seed, same data.

In: sizes. Out: rulebook files as bytes, events as dicts.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from typing import Any

import rule_engine

from belfry.connectors.codec import Decoder
from belfry.engine.expressions import parse_expression
from belfry.engine.faults import Place
from belfry.engine.program import Program
from belfry.engine.program.conditions import Conditions
from belfry.engine.record import Record
from belfry.engine.rulebook.scopes import Scopes, view_of
from belfry.engine.sight import of_event
from belfry.engine.transition import new_record, transition

MERCHANTS = (
    ("5411", "NL"),
    ("4722", "NL"),
    ("5541", "NL"),
    ("7995", "NL"),
    ("5942", "NL"),
    ("6011", "DE"),
)
START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
OPERATIONS = tuple(f"operation_{number}" for number in range(40))
NOTIFY = "notify: {class: service, template: t, channels: [push]}"
FEATURES = b"""features:
  count_10m: {count: transaction, window: 10m}
  spend_mean_90d: {mean: amount, of: transaction, where: direction == "debit",
    window: 90d, at_least: 5}
  spend_1d: {sum: amount, of: transaction, where: direction == "debit", window: 1d}
  last_at: {last: time, of: transaction, current: exclude}
"""
# The ten rules of the peer benchmark; the numbers make 45 % of events, or few, raise a candidate.
TEN = {
    "low": "by: account\nwhen: account.balance < {low}\ncooldown: 24h",
    "overdrawn": "by: account\nwhen: account.balance < {overdrawn}",
    "large_debit": 'event: transaction\nwhen: direction == "debit" and amount > {large}',
    "large_deposit": 'event: transaction\nwhen: direction == "credit" and amount > {large}',
    "foreign": 'event: transaction\nwhen: merchant.country != "NL" and amount > {foreign}',
    "gambling": 'event: transaction\nwhen: merchant.mcc == "7995" and amount > {gambling}',
    "velocity": "event: transaction\nwhen: features.count_10m >= {velocity}",
    "unusual": 'event: transaction\nwhen: direction == "debit" and amount > {unusual} and '
    "amount > 3 * features.spend_mean_90d",
    "daily_spend": "event: transaction\nwhen: features.spend_1d > {daily}",
    "returned": "event: transaction\nwhen: time - features.last_at > 90d",
}
RARE = {
    "low": -190, "overdrawn": -195, "large": 900, "foreign": 900, "gambling": 300,
    "velocity": 5, "unusual": 600, "daily": 2500,
}  # fmt: skip
OFTEN = {
    "low": 500, "overdrawn": 0, "large": 400, "foreign": 20, "gambling": 100,
    "velocity": 5, "unusual": 0, "daily": 500,
}  # fmt: skip


def events(count: int, customers: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Transactions of many customers, about one a second."""
    random_ = random.Random(seed)
    for number in range(count):
        customer = random_.randrange(customers)
        mcc, country = random_.choice(MERCHANTS)
        yield {
            "id": f"tx-{number:012d}",
            "type": "transaction",
            "time": (START + dt.timedelta(seconds=number)).isoformat(),
            "customer_id": f"c{customer:08d}",
            "account_id": f"NL{customer:08d}{random_.randrange(2)}",
            "amount": f"{random_.lognormvariate(3.5, 1.2) + 0.01:.2f}",
            "currency": "EUR",
            "direction": "debit" if random_.random() < 0.8 else "credit",
            "merchant": {"name": "shop", "mcc": mcc, "country": country},
            "operation": random_.choice(OPERATIONS),
            "channel": random_.choice(["card", "sepa", "ideal"]),
            "balance": f"{random_.uniform(-200, 5000):.2f}",
        }


def ten_rules(*, rare: bool) -> dict[str, bytes]:
    """Ten rules as files."""
    numbers = RARE if rare else OFTEN
    files = {"features/all.yaml": FEATURES}
    for name, text in TEN.items():
        body = text.format(**numbers)
        files[f"bench/{name}.yaml"] = f"rule: {name}\n{body}\n{NOTIFY}\n".encode()
    return files


def selective_rules(count: int, seed: int = 3) -> dict[str, bytes]:
    """Rules as banks have them: one kind of transaction, a threshold few reach, one more test.

    The more rules there are, the more kinds they are spread over; all together raise few
    candidates.
    """
    random_ = random.Random(seed)
    files = {"features/all.yaml": FEATURES}
    for number in range(count):
        operation = random_.choice(OPERATIONS) if number % 3 else f"rare_{number}"
        amount = int(10 ** random_.uniform(3, 6))
        direction = random_.choice(["debit", "credit"])
        when = f'operation == "{operation}" and amount > {amount} and direction == "{direction}"'
        text = f"rule: r{number}\nevent: transaction\nwhen: {when}\ncooldown: 1h\n{NOTIFY}\n"
        files[f"bench/r{number}.yaml"] = text.encode()
    return files


def same_conditions(
    program: Program, some: list[Any]
) -> tuple[Callable[[], list[bool]], Callable[[], list[bool]]]:
    """Conditions over event fields only, for both: `() -> every truth`."""
    texts = {
        'amount > 1000 and direction == "debit" and currency == "EUR"',
        'direction == "credit" and amount > 400',
        'channel == "card" and (amount > 900 or balance < 0)',
    }
    types = {
        "amount": rule_engine.DataType.FLOAT, "balance": rule_engine.DataType.FLOAT,
        "direction": rule_engine.DataType.STRING, "currency": rule_engine.DataType.STRING,
        "channel": rule_engine.DataType.STRING,
    }  # fmt: skip
    context = rule_engine.Context(type_resolver=types, default_timezone="utc")
    slow = [rule_engine.Rule(text, context=context) for text in sorted(texts)]
    fast = [_compiled(program, text) for text in sorted(texts)]
    values = [{name: getattr(event, name) for name in types} for event in some]
    return (
        lambda: [test(event) for event in sights(program, some) for test in fast],
        lambda: [rule.matches(one) for one in values for rule in slow],
    )


def _compiled(program: Program, text: str) -> Callable[[Any], bool]:

    scope = Scopes(program.book.event_types).of(view_of("customer", ("transaction",)))
    expression, faults = parse_expression(text, place=Place("bench", 1, 1), scope=scope)
    assert expression is not None, faults
    conditions = Conditions(program.book.event_types, {})
    name = conditions.is_true(expression, "transaction")
    conditions.finish({})
    test = conditions[name]
    return lambda x: bool(test(x))


_SIGHTS: dict[int, list[Any]] = {}


def sights(program: Program, some: list[Any]) -> list[Any]:
    """The events as conditions see them, made once."""
    if id(some) not in _SIGHTS:
        record = new_record(program, "c")
        _SIGHTS[id(some)] = [of_event(record, event, event.time) for event in some]
    return _SIGHTS[id(some)]


def timer_rules() -> dict[str, bytes]:
    """Five timers that a customer has from the start."""
    timers = {
        "birthday": '{yearly: customer.birth_date, at: "09:00"}',
        "monthly": '{monthly: 15, roll: next_business_day, at: "12:00"}',
        "weekly": '{weekly: mon, at: "10:00"}',
        "daily": '{daily: "09:00"}',
        "anniversary": '{yearly: customer.since, at: "09:00"}',
    }
    return {
        f"bench/{name}.yaml": f"rule: {name}\ntimer: {timer}\n{NOTIFY}\n".encode()
        for name, timer in timers.items()
        if timer
    }


def idle_customer(program: Program) -> Record:
    """Facts, a contact of three kinds, consents, an account; then nothing."""
    decoder = Decoder(program.book.event_types)
    record = new_record(program, "c00000001")
    base = '"time": "2026-03-01T10:00:00+08:00"'
    for number, fields in enumerate((
        ('"type": "customer", "customer_id": "c00000001", "name": "Wang Min", "language": "zh", '
        '"birth_date": "1980-05-04", "since": "2015-06-01", "time_zone": "Asia/Shanghai"'),
        ('"type": "account", "account_id": "A00000001", "balance": "1234.56", "currency": "CNY", '
        '"status": "active", "holders": [{"customer_id": "c00000001"}]'),
        ('"type": "contact", "customer_id": "c00000001", "kind": "mobile", '
        '"address": "+8613800138000", "verified": true, "primary": true'),
        ('"type": "contact", "customer_id": "c00000001", "kind": "email", '
        '"address": "wang.min@example.com", "verified": true, "primary": true'),
        '"type": "consent", "customer_id": "c00000001", "purpose": "service", "given": true',
        '"type": "consent", "customer_id": "c00000001", "purpose": "marketing", "given": true',
    )):  # fmt: skip
        event = decoder.decode_event(f'{{"id": "fact-{number}", {base}, {fields}}}'.encode())
        transition(program, record, event)
    return record
