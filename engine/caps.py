"""Frequency caps: how many messages are enough.

In: the messages that count, a cap, an instant. Out: the full cap's reason, or None.
Invariant: what was reserved counts; windows are `(t - window, t]`, calendar ones start at local
midnight.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from belfry.engine.instants import start_of
from belfry.engine.reasons import Reason, reason_of_cap
from belfry.engine.record import Sent
from belfry.engine.rulebook.model import Cap
from belfry.engine.turn import Turn, local_zone

if TYPE_CHECKING:
    from belfry.engine.gates import Asking
    from belfry.engine.program.build import RuleCode

CALENDAR = {"calendar_day": "day", "calendar_week": "week", "calendar_month": "month"}


def full_cap(ask: Asking, channel: str) -> str | None:
    """The reason of the first cap that has no place left for this message on this channel."""
    caps = ask.code.caps[channel]
    if not caps:
        return None
    notify = ask.code.rule.notify
    assert notify is not None
    contact = ask.contact.get(channel)
    wish = Sent(
        ask.turn.now,
        "",
        ask.code.rule.id,
        notify.message_class,
        channel,
        contact.address if contact is not None else "",
        list(notify.tags),
    )
    for cap in caps:
        own = ask.candidate.message_id
        # A message that went over two channels is one message.
        counted = {one.message_id for one in _counted(ask.turn, cap, wish)} - {own}
        if len(counted) >= cap.limit:
            # It would have had a place, had nobody of the same window taken it.
            before = len(counted - ask.won)
            return Reason.LOST_ARBITRATION if before < cap.limit else reason_of_cap(cap.name)
    return None


def reserve(
    turn: Turn, code: RuleCode, message_id: str, channel: str, address: str, *, keep: bool = False
) -> None:
    """Take the place before sending: two rules firing together must not both pass the cap.

    Another attempt takes it anew, at the instant when it goes out. `keep`: an earlier one may have
    arrived, and counts where and when it did.
    """
    notify, record, days = code.rule.notify, turn.record, turn.program.sent_kept_days
    assert notify is not None
    if not days or not turn.program.book.policies.classes[notify.message_class].counts_toward_caps:
        return
    oldest = turn.now - dt.timedelta(days=days)
    record.sent[:] = [
        one for one in record.sent if one.at > oldest and (keep or one.message_id != message_id)
    ]
    named = code.rule.id, notify.message_class, channel, address
    record.sent.append(Sent(turn.now, message_id, *named, list(notify.tags)))


def release(turn: Turn, message_id: str) -> None:
    """The message did not go out after all: its place is free again."""
    turn.record.sent[:] = [one for one in turn.record.sent if one.message_id != message_id]


def _counted(turn: Turn, cap: Cap, wish: Sent) -> list[Sent]:
    if isinstance(cap.window, str):
        since = start_of(CALENDAR[cap.window], turn.now, local_zone(turn))
        inside = [sent for sent in turn.record.sent if sent.at >= since]
    else:
        since = turn.now - cap.window
        inside = [sent for sent in turn.record.sent if sent.at > since]
    return [
        sent
        for sent in inside
        if cap.concerns(sent.message_class, sent.channel, sent.rule, sent.tags)
        and _same(cap, sent, wish)
    ]


def _same(cap: Cap, sent: Sent, wish: Sent) -> bool:
    match cap.by:
        case "contact":
            return sent.contact == wish.contact
        case "channel":
            return sent.channel == wish.channel
        case "class":
            return sent.message_class == wish.message_class
        case "tag":
            return not set(sent.tags).isdisjoint(wish.tags)
        case _:
            return True
