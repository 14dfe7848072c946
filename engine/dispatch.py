"""Dispatch: a message becomes attempts, one after the other.

In: an approved candidate; later, where the message goes next. Out: attempts to be made, each
committed as started before the call.
Invariant: until its answer, nothing is known of an attempt: it may have been sent.
"""

from __future__ import annotations

from typing import Any

from belfry.engine import caps
from belfry.engine.decisions import Attempt, derived_id
from belfry.engine.program.build import RuleCode
from belfry.engine.record import Candidate, Outgoing
from belfry.engine.sight import Sight, of_key
from belfry.engine.turn import Turn, local_zone, value_of, zone_name


def start(
    turn: Turn,
    code: RuleCode,
    candidate: Candidate,
    *,
    channel: str,
    address: str,
    sight: Sight | None,
) -> None:
    """The first attempt of a message."""
    provider = turn.program.book.policies.channels[channel].providers[0]
    message_id = candidate.message_id
    out = Outgoing(message_id, candidate, channel, address, "", provider, attempts=0)
    turn.record.outgoing[message_id] = out
    _attempt(turn, code, out, sight)


def again(turn: Turn, code: RuleCode, out: Outgoing, address: str) -> None:
    """The next attempt, on the channel and provider that `out` names by now."""
    notify = code.rule.notify
    assert notify is not None
    if "unknown" in out.said.values():
        turn.unsure.append(("possibly_duplicated", notify.message_class))
    may_be_there = any(word != "failed" for word in out.said.values())
    caps.reserve(turn, code, out.message_id, out.channel, address, keep=may_be_there)
    out.contact, out.state = address, "started"
    _attempt(turn, code, out, None)


def _attempt(turn: Turn, code: RuleCode, out: Outgoing, sight: Sight | None) -> None:
    rule, candidate = code.rule, out.candidate
    notify = rule.notify
    assert notify is not None
    out.attempts += 1
    out.tried.append(f"{out.channel}/{out.provider}")
    out.attempt_id = derived_id("attempt", out.message_id, str(out.attempts))
    out.said[out.attempt_id] = "unknown"
    expires_at = None if notify.expires is None else candidate.at + notify.expires
    bank = turn.program.book.policies.bank
    turn.attempts.append(
        Attempt(
            out.attempt_id,
            out.message_id,
            turn.record.customer_id,
            rule.id,
            candidate.key,
            notify.message_class,
            out.channel,
            out.provider,
            out.contact,
            turn.record.customer.language or bank.language,
            notify.template,
            rule.title,
            _template_values(turn, code, candidate, sight),
            turn.now,
            expires_at,
        )
    )


def _template_values(
    turn: Turn, code: RuleCode, candidate: Candidate, sight: Sight | None
) -> dict[str, Any]:
    """What the texts may show, fresh at dispatch; the event's own fields as they were."""
    record = turn.record
    fresh = of_key(record, code.rule.by, candidate.key, turn.now)
    fresh.account_id = fresh.account_id or candidate.by_account
    account = record.accounts.get(fresh.account_id)
    card = record.cards.get(candidate.by_card)
    loan = record.loans.get(candidate.by_loan)
    seen = sight if sight is not None else fresh
    seen.tier = code.rule.tiers[candidate.tier] if candidate.tier >= 0 else None
    bank = turn.program.book.policies.bank
    shown = code.shown
    customer = shown.of_entity("customer", record.customer, record.customer_id)
    customer["time_zone"] = zone_name(turn)
    values: dict[str, Any] = {
        "customer": customer,
        "account": shown.of_entity("account", account, fresh.account_id),
        "card": shown.of_entity("card", card, candidate.by_card),
        "loan": shown.of_entity("loan", loan, candidate.by_loan),
        "event": candidate.happening or {},
        "features": {name: turn.program.readers[name](seen) for name in shown.features},
        "segments": {name: state.value for name, state in record.segments.items()},
        "rule": {"id": code.rule.id, "title": code.rule.title},
        "bank": {"name": bank.name, "currency": bank.currency, "country": bank.country},
        "at": candidate.at.astimezone(local_zone(turn)),
        "tier": seen.tier,
    }
    for name, read in code.with_.items():
        values[name] = value_of(turn, read, seen, code.rule)
    return values
