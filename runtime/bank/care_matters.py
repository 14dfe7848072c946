"""What passes between customers and staff: complaints, questions, visits, surveys, scores.

In: a life. Out: `request`, `survey`, `score`, `interaction` and `branch_visit` events.
Complaints have their steps: some are answered within two hours, some too late, some never.
`branch_visit` is a type of the shipped rulebook (rules/events/), not a standard one.
"""

from __future__ import annotations

import datetime as dt

from belfry.runtime.bank.life import Life

HOUR = dt.timedelta(hours=1)
# Hours after opening at which a step comes: answered, waiting, resolved; None: never.
COURSES: tuple[tuple[float | None, float | None, float | None], ...] = (
    (1.2, None, 6), (1.6, 3, 50), (5, None, 30), (None, None, None), (26, 30, 80), (1.0, None, 90),
)  # fmt: skip


def complaint(life: Life) -> None:
    """One complaint through its steps, then the survey about it."""
    setting = life.setting
    # In business hours for most; the clock of a Friday evening's complaint starts on Monday.
    hour = life.draw.choice((9, 10, 11, 14, 15, 19))
    at = setting.on(life.day(4, setting.days - 6), hour, life.draw.randrange(60))
    answered, waiting, resolved = COURSES[life.number // 9 % len(COURSES)]
    common = {"request_id": f"R{life.number:05d}-C", "kind": "complaint"}
    subject = life.setting.words.complaints[life.number % len(life.setting.words.complaints)]
    life.about(at, "request", step="opened", subject=subject, channel="mobile",
               priority="high" if life.number % 2 else "normal", **common)  # fmt: skip
    life.about(at, "customer", open_complaints=1)
    life.about(at + HOUR / 2, "request", step="assigned", assignee=f"care-{life.number % 4 + 1}",
               **common)  # fmt: skip
    if answered is not None:
        life.about(at + answered * HOUR, "request", step="answered", **common)
    if waiting is not None:
        life.about(at + waiting * HOUR, "request", step="waiting", **common)
    if resolved is not None:
        end = at + resolved * HOUR
        life.about(end, "request", step="resolved", **common)
        life.about(end, "customer", open_complaints=0)
        life.about(end + 20 * HOUR, "survey", survey="after-complaint", question="satisfaction",
                   score=life.number % 5 + 1, answer=subject)  # fmt: skip
    else:
        life.about(at + 30 * HOUR, "interaction", kind="call", channel="phone", subject=subject)


def question(life: Life) -> None:
    """A question by phone, answered the same day."""
    at = life.setting.on(life.day(3), 10, life.draw.randrange(60))
    words = life.setting.words
    common = {"request_id": f"R{life.number:05d}-Q", "kind": "question"}
    life.about(at, "request", step="opened", channel="phone", priority="low",
               subject=words.questions[life.number % len(words.questions)], **common)  # fmt: skip
    life.about(at + HOUR, "request", step="answered", **common)
    life.about(at + 2 * HOUR, "request", step="resolved", **common)


def visit(life: Life) -> None:
    """Served at a counter, after a short or a long wait; sometimes asked how it was."""
    at = life.setting.on(life.day(3), life.draw.choice((9, 11, 15, 16)), life.draw.randrange(60))
    waited = life.draw.choice((4, 8, 15, 22, 45))
    life.about(at, "branch_visit", branch=life.branch, service="counter", waited_minutes=waited)
    life.about(at, "interaction", kind="visit", channel="branch", subject="counter")
    if life.number % 3 == 0:
        praise = life.setting.words.praise[life.number % len(life.setting.words.praise)]
        life.about(at + 26 * HOUR, "survey", survey="branch-visit", question="recommend",
                   score=life.draw.choice((2, 6, 8, 9, 10)), answer=praise)  # fmt: skip


def scored(life: Life) -> None:
    """What the bank's models say about the customer, once a month."""
    for day in range(15, life.setting.days, 30):
        if day <= life.opens_on:
            continue
        value = round(life.draw.random(), 3)
        label = "high" if value >= 0.7 else "low"
        for model in ("churn", "term_deposit_propensity"):
            life.about(life.setting.on(day, 4), "score", model=model, value=str(value),
                       version="2026.3", label=label)  # fmt: skip
            value, label = round(1 - value, 3), "low" if label == "high" else "high"


def click(life: Life) -> None:
    """Looks at an offer in the app, twice within a week."""
    at = life.setting.on(life.day(5, max(5, life.setting.days - 8)), 20, life.draw.randrange(60))
    for when in (at, at + 76 * HOUR):
        life.about(when, "interaction", kind="view", channel="mobile", subject="term_deposit")
