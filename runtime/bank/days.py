"""What comes on ordinary days: groceries by weekday, lunch, rides, shopping, cash, logins.

In: a life with its purses and cards. Out: planned moves and `login` events.
Each customer has habits: weekdays and hours of groceries, lunch or not, a budget from the salary.
One in six spends more than comes in, so that the last days before the salary are tight.
"""

from __future__ import annotations

from belfry.runtime.bank.life import Life

WORKDAYS = 5
TIGHT_EVERY, TIGHT_AT = 6, 3
TRIES_ANYWAY = 0.04  # of payments for which there is no money
RESERVE, RESERVE_TIGHT = 150_000, 10_000  # cents that customers like to keep


def live_days(life: Life) -> None:
    """Every day from the first one with the bank."""
    if life.is_dormant:
        return
    draw, setting = life.draw, life.setting
    factor = 1.5 if life.is_one_in(TIGHT_EVERY, TIGHT_AT) else 0.62
    reserve = RESERVE_TIGHT if life.is_one_in(TIGHT_EVERY, TIGHT_AT) else RESERVE
    budget = life.salary * factor / 30  # cents a day
    market = draw.sample(range(7), 2)
    hour = draw.choice((9, 12, 18, 19, 20))
    lunch = draw.uniform(0.1, 0.5)
    login_every = draw.randint(3, 7)
    device = f"demo-device-{life.number:05d}"
    for day in range(life.opens_on + 1, setting.days):
        weekday = (setting.start.weekday() + day) % 7
        if weekday in market:
            _pay(life, day, hour, "groceries", budget * 1.6, keeps=reserve)
        if weekday < WORKDAYS:
            if draw.random() < lunch:
                _pay(life, day, 12, "dining", budget * 0.35, keeps=reserve)
            if draw.random() < 0.15:
                _pay(life, day, 8, "transport", budget * 0.1, keeps=reserve)
        elif draw.random() < 0.45:
            _pay(life, day, draw.choice((18, 19, 20, 21)), "dining", budget * 0.9, keeps=reserve)
        if draw.random() < 0.12:
            kind = draw.choice(("shopping", "shopping", "health", "fuel"))
            _pay(life, day, draw.randint(10, 22), kind, budget * 2.2, keeps=reserve)
        if draw.random() < 0.04:
            _cash(life, day, draw.choice((300, 500, 1000)) * 100)
        if (day + life.number) % login_every == 0:
            life.about(setting.on(day, draw.randint(7, 22), draw.randrange(60)), "login",
                       channel="mobile", device=device, new_device=False, country="CN")  # fmt: skip


def _pay(life: Life, day: int, hour: int, kind: str, mean: float, *, keeps: int) -> None:
    draw = life.draw
    shop = draw.choice(life.setting.words.shops[kind])
    cents = max(300, int(mean * draw.uniform(0.5, 1.6)))
    at = life.setting.on(day, hour, draw.randrange(60))
    purse = life.current
    words = {}
    if life.credit is not None and draw.random() < 0.4:
        purse, words = life.credit, {"card_id": f"Q{life.number:05d}"}
    elif not life.card_at(at):
        return  # lost, and no new one yet
    is_online = shop.mcc == "5964"
    # A credit card is for what one has no money for.
    if purse is life.credit:
        keeps = -purse.floor
    life.by_card(at, cents, shop, purse=purse,
                 keeps=None if draw.random() < TRIES_ANYWAY else keeps,
                 channel="online" if is_online else "pos", **words)  # fmt: skip


def _cash(life: Life, day: int, cents: int) -> None:
    at = life.setting.on(day, life.draw.randint(8, 21), life.draw.randrange(60))
    card = life.card_at(at)
    if card:
        life.move(at, -cents, operation="cash_out", channel="atm", category="cash", card_id=card,
                  keeps=100_000, merchant={"mcc": "6011", "country": "CN"})  # fmt: skip
