"""Gates: may this candidate speak, now, and on which channel?

In: an `Asking`. Out: None (passed), a reason, or `Hold`. All of them run again when something held
is released.
Invariant: anything unknown fails closed and says so. The order is the tuple `GATES`; no gate knows
its neighbours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from belfry.engine import caps, contacts, quiet_hours
from belfry.engine.decisions import percent_of
from belfry.engine.instants import NEVER
from belfry.engine.program.build import RuleCode
from belfry.engine.reasons import Reason
from belfry.engine.record import Candidate, ContactPoint
from belfry.engine.rulebook.model import MessageClass
from belfry.engine.sequences import is_absent
from belfry.engine.sight import of_key
from belfry.engine.timers import local_instant
from belfry.engine.turn import Turn, holds

GONE = frozenset({"deceased", "closed"})


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now: ask again at this instant."""

    until: dt.datetime


class Asking(msgspec.Struct, gc=False):
    """One candidate before the gates. `channels`: all of the rule, and only ever fewer."""

    turn: Turn
    code: RuleCode
    candidate: Candidate
    message_class: MessageClass | None
    channels: list[str]
    contact: dict[str, ContactPoint]
    won: frozenset[str] = frozenset()
    rivals: list[Candidate] = []
    is_fresh: bool = False


Verdict = str | Hold | None
Gate = Callable[[Asking], Verdict]


def rule_ready(ask: Asking) -> Verdict:
    """Not switched off, and what it reads has filled since the edit that emptied it."""
    rule_id = ask.code.rule.id
    if rule_id in ask.turn.program.broken:
        return Reason.RULE_BROKEN
    until = ask.turn.record.warming.get(rule_id)
    return Reason.WARMING_UP if until is not None and ask.candidate.at < until else None


def still_true(ask: Asking) -> Verdict:
    """State rules and timers are asked again unless they were just found true; events stay true
    unless they were reversed.
    """
    candidate = ask.candidate
    if candidate.void:
        return candidate.void
    if not ask.code.is_state or ask.is_fresh:
        return None
    rule = ask.code.rule
    sight = of_key(ask.turn.record, rule.by, candidate.key, ask.turn.now)
    sight.tier = rule.tiers[candidate.tier] if candidate.tier >= 0 else None
    is_true = holds(ask.turn, ask.code.stands, sight, rule)
    if is_true and rule.absent is not None:
        is_true = is_absent(ask.turn, rule, candidate.key, candidate.at)
    return None if is_true else Reason.NOT_TRUE_ANY_MORE


def not_expired(ask: Asking) -> Verdict:
    """`expires` counts from the occurrence."""
    return Reason.EXPIRED if ask.turn.now >= expires_at(ask) else None


def expires_at(ask: Asking) -> dt.datetime:
    """When the message is of no more use; NEVER without `expires`."""
    notify = ask.code.rule.notify
    if notify is None or notify.expires is None:
        return NEVER
    return ask.candidate.at + notify.expires


def rule_active(ask: Asking) -> Verdict:
    """Inside the rule's own dates and not paused."""
    rule = ask.code.rule
    if rule.paused:
        return Reason.PAUSED
    turn = ask.turn
    start, stop = rule.active_from, rule.active_to
    is_early = start is not None and turn.now < local_instant(turn, start)
    is_late = stop is not None and turn.now >= local_instant(turn, stop)
    return Reason.NOT_ACTIVE if is_early or is_late else None


def rolled_out(ask: Asking) -> Verdict:
    """On for this branch and within the share of customers."""
    rollout = ask.code.rule.rollout
    if rollout is None:
        return None
    record = ask.turn.record
    if rollout.branches and record.customer.branch not in rollout.branches:
        return Reason.NOT_ROLLED_OUT
    share = percent_of("rollout", ask.code.rule.id, record.customer_id)
    return None if share < float(rollout.percent) else Reason.NOT_ROLLED_OUT


def customer_there(ask: Asking) -> Verdict:
    """Alive, still a customer, not erased; nothing optional while they paused it."""
    status = ask.turn.record.customer.status
    if status == "erased":
        return Reason.ERASED
    if status in GONE:
        return Reason.CUSTOMER_GONE
    paused_until = ask.turn.record.preferences.paused_until
    is_optional = ask.message_class is not None and ask.message_class.consent != "none"
    if is_optional and paused_until is not None and ask.turn.now < paused_until:
        return Reason.PAUSED
    return None


def consented(ask: Asking) -> Verdict:
    """Permission for purpose, channel and contact; keeps the channels that have it."""
    message_class = ask.message_class
    if message_class is None or message_class.consent == "none":
        return None
    former = _is_former(ask)
    return _narrow(
        ask,
        lambda channel: contacts.consent_reason(ask.turn, message_class, channel, former=former),
    )


def reachable(ask: Asking) -> Verdict:
    """A verified contact point that may be used; keeps the channels that have one."""

    def find(channel: str) -> Verdict:
        found = contacts.reach(ask.turn, channel, former=_is_former(ask))
        if isinstance(found, ContactPoint):
            ask.contact[channel] = found
            return None
        return found

    return _narrow(ask, find)


def _is_former(ask: Asking) -> bool:
    notify = ask.code.rule.notify
    return notify is not None and notify.to == "former"


def cooled_down(ask: Asking) -> Verdict:
    """The rule was silent long enough for this key."""
    rule = ask.code.rule
    if rule.cooldown is None:
        return None
    alert = ask.turn.record.alerts.get(f"{rule.id}\x1f{ask.candidate.key}")
    if alert is None or alert.told_at is None:
        return None
    return Reason.COOLDOWN if ask.candidate.at - alert.told_at < rule.cooldown else None


def not_inhibited(ask: Asking) -> Verdict:
    """No rule that inhibits this one is firing, or asks to speak at the same time."""
    for other in ask.turn.program.inhibitors.get(ask.code.rule.id, ()):
        same_by = other.by == ask.code.rule.by
        for name in ask.turn.record.live:
            alert = ask.turn.record.alerts.get(name)
            if alert is None or alert.rule != other.id or alert.phase != "firing":
                continue
            if not same_by or alert.key == ask.candidate.key:
                return Reason.INHIBITED
        for rival in ask.rivals:
            if rival.rule == other.id and (not same_by or rival.key == ask.candidate.key):
                return Reason.INHIBITED
    return None


def within_caps(ask: Asking) -> Verdict:
    """Frequency caps; keeps the channels that are free."""
    message_class = ask.message_class
    if message_class is None or message_class.exempt_from_caps:
        return None

    def full(channel: str) -> Verdict:
        return caps.full_cap(ask, channel)

    return _narrow(ask, full)


def outside_quiet_hours(ask: Asking) -> Verdict:
    """The customer may be disturbed now; otherwise held, unless it would expire first."""
    message_class = ask.message_class
    if message_class is None or message_class.quiet_hours == "ignore" or not ask.channels:
        return None
    channel = ask.channels[0]
    contact = ask.contact.get(channel)
    free_at = quiet_hours.free_at(ask.turn, ask.code.quiet[channel], contact)
    if free_at is None:
        return Reason.UNKNOWN_ZONE
    if free_at <= ask.turn.now:
        return None
    return Reason.EXPIRED if free_at >= expires_at(ask) else Hold(free_at)


def not_held_out(ask: Asking) -> Verdict:
    """Last, so that the control group is exactly those who would have been told."""
    rule = ask.code.rule
    if rule.holdout is None or ask.message_class is None or ask.message_class.holdout == "never":
        return None
    share = percent_of("holdout", rule.id, ask.turn.record.customer_id)
    return Reason.HOLDOUT if share < float(rule.holdout) else None


GATES: tuple[Gate, ...] = (
    rule_ready,
    still_true,
    not_expired,
    rule_active,
    rolled_out,
    customer_there,
    consented,
    reachable,
    cooled_down,
    not_inhibited,
    within_caps,
    outside_quiet_hours,
    not_held_out,
)
STAFF_GATES: tuple[Gate, ...] = (
    rule_ready,
    still_true,
    rule_active,
    rolled_out,
    customer_there,
    cooled_down,
    not_inhibited,
)


def _narrow(ask: Asking, refuse: Callable[[str], Verdict]) -> Verdict:
    """Keep the channels that are not refused; if none is left, the first one's reason."""
    kept: list[str] = []
    first: Verdict = None
    for channel in ask.channels:
        reason = refuse(channel)
        if reason is None:
            kept.append(channel)
        elif first is None:
            first = reason
    ask.channels = kept
    return None if kept else first
