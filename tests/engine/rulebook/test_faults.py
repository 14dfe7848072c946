"""Broken rulebooks: each mistake gives its code, at its line and column, with a way out."""

import pytest

from belfry.engine.faults import Fault, Severity
from belfry.engine.rulebook.load import load_rulebook

NOTIFY = "notify: {class: service, template: t, channels: [sms]}\n"
RULE = f"rule: x\n{NOTIFY}"  # what follows begins on line 3
EVENT = f"{RULE}event: login\n"  # and here on line 4


def errors_of(text: str, **more: str) -> list[Fault]:
    files = {"a/x.yaml": text.encode(), **{f"{k}.yaml": v.encode() for k, v in more.items()}}
    book, faults = load_rulebook(files)
    errors = [fault for fault in faults if fault.severity is Severity.ERROR]
    assert (book is None) == bool(errors)
    return errors


# text → (code, line, column, part of the hint or of what was expected)
MISTAKES: list[tuple[str, str, int, int, str]] = [
    # keys and shapes
    (EVENT + "whn: country\n", "B201", 4, 1, "did you mean 'when'?"),
    (EVENT + "on: login\n", "B201", 4, 1, "rule, title"),
    (EVENT + "unless: country\n", "B201", 4, 1, "did you mean 'except'?"),
    ("rle: x\nevent: login\n" + NOTIFY, "B201", 1, 1, "did you mean 'rule'?"),
    ("fetures: {}\n", "B201", 1, 1, "did you mean 'features'?"),
    ("event: login\n" + NOTIFY, "B202", 1, 1, "rule:"),
    ("rule: x\nevent: login\nnotify: {template: t}\n", "B202", 3, 9, "class:"),
    ("rule: x\nevent: login\nnotify: {clas: service}\n", "B201", 3, 10, "did you mean 'class'?"),
    ("rule: x\nevent: login\nnotify: service\n", "B203", 3, 9, "a mapping"),
    ("- rule: x\n", "B203", 1, 1, "rule, rules"),
    (RULE + "when: {a: 1}\n", "B203", 3, 7, "an expression"),
    (EVENT + "cooldown: 24\n", "B204", 4, 11, "12h"),
    (EVENT + "cooldown: 1 month\n", "B204", 4, 11, "30d"),
    (EVENT + "cooldown: 99999999w\n", "B204", 4, 11, ""),
    (EVENT + "holdout: 150%\n", "B205", 4, 10, "0% to 100%"),
    (EVENT + "tiers: [1, two]\n", "B205", 4, 12, "a number"),
    (EVENT + "paused: yes\n", "B206", 4, 9, "only true and false"),
    (RULE + 'timer: {daily: "25:00"}\n', "B207", 3, 16, "23:59"),
    (EVENT + "active: {from: 2026-02-30}\n", "B208", 4, 16, "2026-12-01"),
    (RULE + "timer: {weekly: someday}\n", "B209", 3, 17, "mon, tue"),
    (EVENT + "by: acount\n", "B209", 4, 5, "did you mean 'account'?"),
    # structure
    (EVENT + 'timer: {daily: "09:00"}\n', "B210", 4, 1, "a rule for each"),
    ("rule: x\nevent: login\n", "B211", 1, 7, "notify, task, emit"),
    (RULE, "B202", 1, 7, "when:"),
    (EVENT + "for: 7d\n", "B212", 4, 1, "`until`"),
    (EVENT + "repeat: 7d\n", "B212", 4, 1, "`until`"),
    (EVENT + "limit: 5\n", "B212", 4, 1, "repeat:"),
    (EVENT + "absent: {event: login, since: 1d}\n", "B212", 4, 1, "timer"),
    (EVENT + "within: 2h\n", "B212", 4, 1, ""),
    (RULE + "timer: {date: customer.since, delay: 3d}\n", "B212", 3, 31, "before, after"),
    (RULE + 'timer: {daily: "09:00", weekly: mon}\n', "B212", 3, 25, "a rule for each"),
    (RULE + 'timer: {at: "09:00"}\n', "B202", 3, 8, "daily"),
    (RULE + "timer: {after: customer.since}\n", "B202", 3, 8, "delay:"),
    (RULE + "timer: {date: customer.name}\n", "B306", 3, 15, "a date or an instant"),
    (RULE + "timer: {date: customer.since, after: x}\n", "B204", 3, 38, "after: 3d"),
    (RULE + "sequence: [{event: login}]\nwithin: 2h\n", "B203", 3, 11, "event:"),
    (RULE + "sequence: [{event: login}, {event: login}]\n", "B202", 3, 1, "within: 2h"),
    (RULE + "campaign: {start: 2026-12-10, stop: 2026-12-01}\n", "B208", 3, 37, ""),
    (EVENT + "supersedes: [y]\n", "B302", 4, 14, "x"),
    ("rule: a b\nevent: login\n" + NOTIFY, "B214", 1, 7, "letters"),
    # names and expressions
    (RULE + "event: lgin\nwhen: country == 'CN'\n", "B301", 3, 8, "did you mean 'login'?"),
    (RULE + "event: [login, lgin]\n", "B301", 3, 16, "did you mean 'login'?"),
    (EVENT + "when: contry == 'CN'\n", "B311", 4, 7, "did you mean 'country'?"),
    (EVENT + "when: new_device and contry == 'CN'\n", "B311", 4, 22, "did you mean 'country'?"),
    (EVENT + "when: country > 1\n", "B312", 4, 7, ""),
    (EVENT + "when: country\n", "B313", 4, 7, ""),
    (EVENT + "when: customer.income >\n", "B310", 4, 24, ""),
    (EVENT + "when: outcome == 'failur'\n", "B321", 4, 18, "did you mean 'failure'?"),
    (EVENT + "when: customer.income > 5 and customer.income < 3\n", "B316", 4, 7, ""),
    (EVENT + "when: m\nmacros: {m: contry == 'CN'}\n", "B311", 4, 7, "did you mean 'country'?"),
    (RULE + "when: account.balance < 5\n", "B308", 3, 7, "by: account"),
    (RULE + "by: account\nwhen: account.balanse < 5\n", "B311", 4, 7, "'account.balance'"),
    (EVENT + "when: tier > 1\n", "B308", 4, 7, "`tiers`"),
    (EVENT + "when: event.country == 'CN'\n", "B308", 4, 7, "write `country`"),
    (EVENT + "tiers: [1, 2]\nwhen: country\n", "B306", 5, 7, ""),
    ("rule: x\nevent: login\nemit: {event: logn}\n", "B301", 3, 15, "did you mean 'login'?"),
    ("rule: x\nevent: login\nemit: {event: timer}\n", "B303", 3, 15, "customer, account"),
    ("rule: x\nevent: login\nemit: {event: login, with: {chanel: device}}\n", "B305", 3, 37,
     "did you mean 'channel'?"),
    ("rule: x\nevent: login\nemit: {event: login, with: {channel: new_device}}\n", "B306", 3, 38,
     "a text"),
    ("rule: x\nevent: login\nemit: {event: score, with: {model: device}}\n", "B202", 3, 15,
     "value"),
    # messages
    ("rule: x\nevent: login\nnotify: {class: servise}\n", "B401", 3, 17, "'service'"),
    ("rule: x\nevent: login\nnotify: {class: service, channels: [push, smss]}\n", "B402", 3, 43,
     "did you mean 'sms'?"),
    ("rule: x\nevent: login\nnotify: {class: service, until: read}\n", "B202", 3, 26, "within:"),
    ("rule: x\nevent: login\nnotify: {class: service, within: 1h}\n", "B212", 3, 26, "until:"),
    # tests
    (EVENT + "tests:\n- {name: a, expect: [{send: sms}]}\n", "B202", 5, 22, "at:"),
    (EVENT + 'tests:\n- {name: a, expect: [{at: "2026-03-02", send: sms}]}\n', "B208", 5, 27, ""),
    (EVENT + "tests:\n- {name: a, events: [{at: '2026-03-02T10:00Z', type: lgin}], expect: []}\n",
     "B301", 5, 54, "did you mean 'login'?"),
    # features and segments
    ("features: {f: {sum: amount}}\n", "B202", 1, 16, "of: transaction"),
    ("features: {f: {sum: amount, of: transction}}\n", "B301", 1, 33, "'transaction'"),
    ("features: {f: {sum: operation, of: transaction}}\n", "B306", 1, 21, "number"),
    ("features: {f: {max: new_device, of: login}}\n", "B306", 1, 21, ""),
    ("features: {f: {sum: amount, mean: amount, of: transaction}}\n", "B212", 1, 29, "count, sum"),
    ("features: {f: {sum: balance, of: account, window: 3d}}\n", "B212", 1, 43, ""),
    ("features: {f: {sum: balance, of: account, by: card}}\n", "B212", 1, 47, "by: customer"),
    ("features: {f: {sum: features.g, of: login}, g: {count: login}}\n", "B308", 1, 21, "read no"),
    ("features: {2f: {count: login}}\n", "B214", 1, 12, "digit"),
    ("segments: {a: {values: [x]}}\n", "B203", 1, 24, "mass: true"),
    ("segments: {a: {values: {x: segments.b == 'y'}}, b: {values: {y: segments.a == 'x'}}}\n",
     "B307", 1, 12, ""),
    # declarations
    ("lists: {a: {b: c}}\n", "B203", 1, 12, "a: ["),
    ("lists: {a: []}\n", "B203", 1, 12, ""),
    ("macros: {customer: 'true'}\n", "B214", 1, 10, "another name"),
    ("events: {timer: {doc: x}}\n", "B303", 1, 10, "another name"),
    ("events: {login: {fields: {country: text}}}\n", "B304", 1, 27, "another name"),
    ("events: {visit: {fields: {a: txt}}}\n", "B209", 1, 30, "did you mean 'text'?"),
    ("events: {visit: {fields: {a: {type: date, choices: [x]}}}}\n", "B212", 1, 43, ""),
    # policies
    ("bank: {time_zone: Asia/Shangai}\n", "B403", 1, 19, "did you mean 'Asia/Shanghai'?"),
    ("bank: {country: Chn}\n", "B404", 1, 17, "CN"),
    ("classes: {a: {consent: maybe}}\n", "B209", 1, 24, "opt_in"),
    ("caps: [{name: a, limit: x, window: 3d}]\n", "B205", 1, 25, "a whole number"),
    ("caps: [{name: a, limit: 1, window: calendar_dya}]\n", "B209", 1, 36, "'calendar_day'"),
    ("caps: [{name: a, limit: 1, window: 3d, classes: servise}]\n", "B401", 1, 49, "'service'"),
    ("quiet_hours: [{from: 9pm, to: '08:00'}]\n", "B207", 1, 22, "23:59"),
    ("channels: {sms: {contact: mobil}}\n", "B209", 1, 27, "did you mean 'mobile'?"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "remedy"), MISTAKES, ids=[row[0][-60:] for row in MISTAKES]
)
def test_a_mistake_is_found_where_it_is_with_its_remedy(
    text: str, code: str, line: int, column: int, remedy: str
) -> None:
    faults = errors_of(text)
    assert [(f.code, f.place.line, f.place.column) for f in faults] == [(code, line, column)]
    assert remedy in f"{faults[0].hint} {faults[0].expected}"
    assert faults[0].line == text.splitlines()[line - 1]


def test_three_mistakes_in_one_rule_are_reported_in_one_go() -> None:
    faults = errors_of(
        "rule: x\n"
        "evnt: transaction\n"
        "when: customer.incom > 5\n"
        "cooldown: 1 day\n"
        "notify: {class: service, template: t, channels: [sms]}\n"
    )
    assert [(fault.code, fault.place.line) for fault in faults] == [
        ("B201", 2),
        ("B311", 3),
        ("B204", 4),
    ]


def test_mistakes_of_all_files_are_reported_in_file_order() -> None:
    faults = errors_of(EVENT + "whn: x\n", b="caps: [{name: 1}]\n", c="lists: [x]\n", z="a: [1\n")
    assert [fault.place.file for fault in faults] == [
        "a/x.yaml", "b.yaml", "b.yaml", "b.yaml", "c.yaml", "z.yaml",
    ]  # fmt: skip


def test_a_rule_id_used_twice_names_both_files() -> None:
    faults = errors_of(EVENT, other=EVENT)
    assert [(fault.code, fault.place.file) for fault in faults] == [("B213", "other.yaml")]
    assert "a/x.yaml:1:7" in faults[0].message


@pytest.mark.parametrize(
    "text",
    [
        "features: {f: {count: login}}\n",
        "segments: {s: {values: {a: true}}}\n",
        "lists: {l: [a]}\n",
        "macros: {m: customer.income > 1}\n",
        "classes: {c: {consent: none}}\n",
        "channels: {c: {contact: email}}\n",
        "bank: {name: B}\n",
        "caps: [{name: c, limit: 1, window: 1d}]\n",
    ],
)
def test_a_name_defined_in_two_files_is_a_fault(text: str) -> None:
    assert [fault.code for fault in errors_of(text, other=text)] == ["B213"]


@pytest.mark.parametrize(
    ("when", "line", "column"),
    [
        ("when: >-\n  amount > 1\n  and\n  balanc > 2\n", 7, 3),
        ("when: |\n  amount > 1 and\n    balanc > 2\n", 6, 5),
        ("when: >\n\n  amount > 1 and balanc > 2\n", 6, 18),
        ("when: amount > 1\n  and balanc > 2\n", 5, 7),
        ('when: "direction == \\"debit\\" and balanc > 2"\n', 4, 35),
        ("when: 'purpose == ''a'' and balanc > 2'\n", 4, 29),
        ("when:   balanc > 2   # why\n", 4, 9),
        ("when: purpose == '工资' and balanc > 2\n", 4, 27),
    ],
)
def test_a_fault_in_an_expression_is_placed_however_the_text_is_written(
    when: str, line: int, column: int
) -> None:
    faults = errors_of(f"rule: x\n{NOTIFY}event: transaction\n{when}")
    assert [(f.code, f.place.line, f.place.column) for f in faults] == [("B311", line, column)]
    assert faults[0].line is not None
    assert faults[0].line[column - 1 :].startswith("balanc")


def test_a_fault_inside_a_macro_points_to_its_use_and_names_it() -> None:
    faults = errors_of(EVENT + "when: is_odd\n", m="macros: {is_odd: contry == 'CN'}\n")
    assert (faults[0].place.file, faults[0].place.line) == ("a/x.yaml", 4)
    assert "is_odd" in faults[0].message
