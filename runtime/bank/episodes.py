"""Whose turn it is: which of the things that happen now and then happen to which customers.

In: a life. Out: the same, with its episodes. One row: a function, every how many customers, at
which number of them. In turn rather than at random: a bank of a hundred has some of everything.
"""

from __future__ import annotations

from collections.abc import Callable

from belfry.runtime.bank import cards_and_fraud as cards
from belfry.runtime.bank import care_matters as care
from belfry.runtime.bank import money_matters as matters
from belfry.runtime.bank.life import Life

# (what, every, at). What changes the card in the customer's hands comes first.
EPISODES: tuple[tuple[Callable[[Life], None], int, int], ...] = (
    (cards.lost_card, 24, 4),
    (cards.trip, 9, 2),
    (cards.copied_card, 60, 21),
    (cards.withdrawals, 40, 31),
    (cards.quick_cards, 50, 8),
    (cards.failed_logins, 15, 12),
    (cards.new_phone, 10, 1),
    (cards.new_number, 18, 14),
    (cards.new_address, 12, 9),
    (matters.night_dip, 8, 5),
    (matters.evening_dip, 11, 4),
    (matters.into_the_red, 14, 10),
    (matters.large_payment, 10, 7),
    (matters.unusual_payment, 7, 6),
    (matters.charged_twice, 13, 3),
    (matters.refund, 12, 8),
    (matters.declined_then_paid, 16, 11),
    (matters.windfall, 25, 18),
    (matters.fortune, 125, 90),
    (matters.credit_line, 4, 2),
    (matters.friends, 2, 1),
    (matters.account_closed, 60, 33),
    (matters.first_money, 1, 0),
    (matters.asleep_then_awake, 1, 0),
    (care.complaint, 9, 7),
    (care.question, 7, 2),
    (care.visit, 6, 5),
    (care.scored, 3, 1),
    (care.click, 10, 4),
)
AWAKE_ONLY = frozenset(
    row[0] for row in EPISODES if row[0] not in (matters.asleep_then_awake, care.complaint)
)


def live_episodes(life: Life) -> None:
    """All that are this customer's turn; to the dormant little happens."""
    for what, every, at in EPISODES:
        if life.is_one_in(every, at) and not (life.is_dormant and what in AWAKE_ONLY):
            what(life)
