"""Who the customers are: master data, contact points, consents and wishes.

In: the setting, a number. Out: a `Life` with the facts about the person, nothing about money yet.
Phone numbers begin with +86 120: no mobile network has them, so nobody can be reached. Mail goes to
the reserved domain example.com.
"""

from __future__ import annotations

import datetime as dt
import random

from belfry.runtime.bank.life import HISTORY_DAYS, Life, Setting, stamp
from belfry.runtime.bank.words import full_name

# Life cycle → days since they came, at the first day of the simulation (least, most).
STAGES = {"new": (5, 55), "growing": (95, 350), "mature": (380, 1800), "veteran": (1900, 7000)}
# Twenty customers in a row have these stages.
STAGE_ROUND = (
    "mature", "veteran", "growing", "joining", "mature", "veteran", "mature", "new", "growing",
    "mature", "veteran", "mature", "growing", "veteran", "joining", "mature", "veteran", "growing",
    "mature", "veteran",
)  # fmt: skip
RISKS = ("cautious", "balanced", "balanced", "steady", "growth")
DORMANT_EVERY, DORMANT_AT = 25, 11


def new_life(setting: Setting, number: int) -> Life:
    """The person, known to the bank."""
    # Text seeds are hashed by SHA-512: the same under any PYTHONHASHSEED.
    draw = random.Random(f"{setting.seed}/{number}")  # noqa: S311  made-up data, no secret
    life = Life(setting, number, draw, id=f"C{number:05d}")
    stage = STAGE_ROUND[number % len(STAGE_ROUND)]
    if stage == "joining":
        life.stage, life.opens_on = "new", draw.randint(2, max(2, setting.days * 2 // 3))
        life.since = setting.start + dt.timedelta(days=life.opens_on)
    else:
        life.stage = stage
        life.since = setting.start - dt.timedelta(days=draw.randint(*STAGES[stage]))
        life.is_dormant = stage in ("mature", "veteran") and life.is_one_in(
            DORMANT_EVERY, DORMANT_AT
        )
    other = "en" if setting.language == "zh" else "zh"
    life.language = other if life.is_one_in(14, 9) else setting.language
    life.branch = draw.choice(tuple(setting.words.cities))
    life.salary = round(draw.lognormvariate(9.35, 0.45)) * 100  # median about 11,500 yuan
    life.pay_day = draw.choice((5, 8, 10, 10, 12, 15))
    _master_data(life)
    _contacts(life)
    _consents(life)
    _wishes(life)
    return life


def joined_at(life: Life) -> dt.datetime:
    """When the bank's systems first speak of the customer."""
    if life.opens_on:
        return life.setting.on(life.opens_on, 10, life.number % 50)
    days = HISTORY_DAYS if life.has_history else 0
    return life.setting.begin - dt.timedelta(days=days, hours=6)


def _master_data(life: Life) -> None:
    draw, setting = life.draw, life.setting
    is_woman = draw.random() < 0.5
    age = draw.randint(19, 30) if life.stage == "new" else draw.randint(24, 76)
    born = setting.start - dt.timedelta(days=age * 365 + draw.randrange(365))
    if life.is_one_in(40, 13):
        born = dt.date(1992, 2, 29)
    elif life.is_one_in(10, 2):  # a birthday inside the simulation
        day = setting.start + dt.timedelta(days=draw.randrange(5, max(6, setting.days)))
        born = dt.date(setting.start.year - age, day.month, min(day.day, 28))
    if life.stage in ("mature", "veteran") and life.is_one_in(6, 4):  # an anniversary
        day = setting.start + dt.timedelta(days=draw.randrange(5, max(6, setting.days)))
        years = 2 if life.stage == "mature" else draw.choice((5, 10, 15))
        life.since = dt.date(setting.start.year - years, day.month, min(day.day, 28))
    life.name = full_name(
        setting.words, draw.randrange(1000), draw.randrange(1000), is_woman=is_woman
    )
    optional: dict[str, str] = {}
    if draw.random() < 0.12:
        optional["low_balance_limit"] = str(draw.choice((300, 1000, 2000)))
    optional |= _rulebook_wishes(life)
    life.about(
        joined_at(life),
        "customer",
        name=life.name,
        gender="female" if is_woman else "male",
        birth_date=born.isoformat(),
        language=life.language,
        time_zone="Asia/Shanghai",
        country="CN",
        city=setting.words.cities[life.branch],
        branch=life.branch,
        manager=f"M-{life.number % 7 + 1:02d}",
        status="active",
        risk_profile=draw.choice(RISKS),
        since=life.since.isoformat(),
        income=str(life.salary // 100),
        occupation=draw.choice(setting.words.occupations),
        open_complaints=0,
        **optional,
    )
    if life.is_one_in(97, 60):
        life.about(setting.on(life.day(60), 11), "customer", status="deceased")


def _rulebook_wishes(life: Life) -> dict[str, str]:
    """Fields that the shipped rulebook adds to `customer` (rules/events/); others ignore them."""
    wishes = {}
    if life.is_one_in(8, 3):
        wishes["spending_limit"] = str(life.salary * (6, 9)[life.number // 8 % 2] // 1000)
    if life.is_one_in(10, 1):
        wishes["high_balance_limit"] = str(life.salary // 80)
    if life.is_one_in(5, 2):
        wishes["savings_goal"] = str((20_000, 100_000)[life.number // 5 % 2])
    if life.is_one_in(6, 3):
        days = life.draw.randint(10, life.setting.days + 40)
        wishes["id_expires_on"] = (life.setting.start + dt.timedelta(days=days)).isoformat()
    return wishes


def _contacts(life: Life) -> None:
    draw, at = life.draw, joined_at(life)
    if draw.random() < 0.96:
        life.about(at, "contact", kind="mobile", address=f"+86120{life.number:08d}",
                   verified=draw.random() < 0.97, primary=True)  # fmt: skip
    if draw.random() < 0.78:
        life.about(at, "contact", kind="device", address=f"demo-device-{life.number:05d}",
                   verified=True, primary=True)  # fmt: skip
    if draw.random() < 0.85:
        life.about(at, "contact", kind="email", address=f"c{life.number:05d}@example.com",
                   verified=draw.random() < 0.9, primary=True)  # fmt: skip
    if life.is_one_in(11, 6):
        life.about(at, "contact", kind="landline", address=f"+8610{life.number:08d}",
                   verified=True, primary=True)  # fmt: skip
    if life.is_one_in(31, 17):  # mail came back
        life.about(life.setting.on(life.day(10), 4), "contact", kind="email",
                   address=f"c{life.number:05d}@example.com", suppressed=True)  # fmt: skip


def _consents(life: Life) -> None:
    draw, at = life.draw, joined_at(life)
    evidence = f"form-{life.number:05d}"
    if draw.random() < 0.07:
        life.about(at, "consent", purpose="service", given=False, evidence=evidence)
    for purpose, share in (("advice", 0.75), ("marketing", 0.65)):
        if draw.random() < share:
            life.about(at, "consent", purpose=purpose, given=True, evidence=evidence)
            if draw.random() < 0.1:  # thought better of it
                later = life.setting.on(life.day(15), 20, draw.randrange(60))
                life.about(later, "consent", purpose=purpose, given=False, evidence="app")
    if life.is_one_in(17, 8):
        until = life.setting.on(45)
        life.about(at, "consent", purpose="marketing", channel="email", given=True,
                   evidence=evidence, valid_until=stamp(until))  # fmt: skip


def _wishes(life: Life) -> None:
    draw, at = life.draw, joined_at(life)
    if draw.random() < 0.1:
        start, stop = draw.choice((("20:30", "09:00"), ("22:00", "07:00"), ("19:00", "08:30")))
        life.about(at, "preference", quiet_from=start, quiet_to=stop)
    if life.is_one_in(19, 5):
        life.about(at, "preference", channels=["sms"])
    if life.is_one_in(23, 7):
        until = life.setting.on(life.day(30))
        life.about(life.setting.on(life.day(5, 20), 9), "preference", paused_until=stamp(until))
    if life.is_one_in(13, 10):
        life.about(life.setting.on(life.day(3, 30), 21, 15), "preference",
                   low_balance_limit=str(draw.choice((800, 1500))))  # fmt: skip
