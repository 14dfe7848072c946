"""Dispatch: a message becomes attempts; answers and receipts settle it.

In: an approved candidate; later answers. Out: attempts to be made, each committed as started
before the call.
Invariant: a message has one attempt under way at most; what an unknown answer means is the class's
policy.
"""

from __future__ import annotations

from typing import Any

from belfry.engine import caps, retry
from belfry.engine.decisions import Attempt, derived_id
from belfry.engine.gates import Hold
from belfry.engine.program.build import RuleCode
from belfry.engine.reasons import Outcome, Reason
from belfry.engine.record import Candidate, Outgoing
from belfry.engine.recorded import recorded
from belfry.engine.sight import Sight, of_key
from belfry.engine.turn import Turn, local_zone, value_of, zone_name

RANKS = {"": 0, "failed": 1, "delivered": 2, "read": 3}
ATTEMPTS_MAX = 8  # per message; expiry usually ends it earlier


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
    out = Outgoing(
        message_id,
        candidate,
        channel,
        address,
        derived_id("attempt", message_id, "1"),
        provider,
        [f"{channel}/{provider}"],
    )
    turn.record.outgoing[message_id] = out
    _attempt(turn, code, out, sight)


def _attempt(turn: Turn, code: RuleCode, out: Outgoing, sight: Sight | None) -> None:
    rule, candidate = code.rule, out.candidate
    notify = rule.notify
    assert notify is not None
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


def answered(turn: Turn, answer: Any) -> None:
    """What a provider said at once. Repeats and answers to older attempts change nothing."""
    out = _find(turn, answer.attempt_id)
    if out is None or out.state in {"accepted", retry.WAITING}:
        return
    match answer.result:
        case "accepted":
            out.state = "accepted"
            _settle(turn, out)
        case "rejected":
            _rejected(turn, out, answer.retry)
        case _:
            _unknown(turn, out)


def received(turn: Turn, receipt: Any) -> None:
    """What a provider said later; applied only upwards in rank."""
    out = _find(turn, receipt.attempt_id)
    if out is not None and RANKS[receipt.result] > RANKS[out.receipt]:
        out.receipt = receipt.result


def _find(turn: Turn, attempt_id: str) -> Outgoing | None:
    return next((o for o in turn.record.outgoing.values() if o.attempt_id == attempt_id), None)


def _settle(turn: Turn, out: Outgoing) -> None:
    """Nothing more to do unless a receipt is waited for."""
    code = turn.program.rules.get(out.candidate.rule)
    notify = None if code is None else code.rule.notify
    if notify is None or notify.until is None:
        del turn.record.outgoing[out.message_id]


def _rejected(turn: Turn, out: Outgoing, retry: str) -> None:
    """Surely not sent: the next provider of the channel, unless the address itself is refused."""
    nxt = None if retry == "never" else _next_provider(turn, out)
    if retry == "same_provider" and nxt is None and out.attempts < ATTEMPTS_MAX:
        nxt = out.channel, out.provider
    if nxt is None:
        _give_up(
            turn,
            out,
            Reason.PROVIDER_REJECTED if retry == "never" else Reason.PROVIDER_EXHAUSTED,
            is_free=True,
        )
        return
    _again(turn, out, *nxt)


def _unknown(turn: Turn, out: Outgoing) -> None:
    """May have been sent: the class says whether to risk a second one or a lost one."""
    code = turn.program.rules.get(out.candidate.rule)
    notify = None if code is None else code.rule.notify
    if notify is None:
        del turn.record.outgoing[out.message_id]
        return
    policy = turn.program.book.policies.classes[notify.message_class].unanswered
    nxt = None
    if policy != "drop" and out.attempts < ATTEMPTS_MAX:
        nxt = _next_provider(turn, out) if policy == "resend" else None
        if nxt is None and policy == "resend":
            nxt = out.channel, out.provider
    if nxt is None:
        _give_up(turn, out, Reason.NO_ANSWER, is_free=False)
        return
    _again(turn, out, *nxt)


def _next_provider(turn: Turn, out: Outgoing) -> tuple[str, str] | None:
    channel = turn.program.book.policies.channels.get(out.channel)
    for provider in channel.providers if channel is not None else ():
        if f"{out.channel}/{provider}" not in out.tried:
            return out.channel, provider
    return None


def resume(turn: Turn, message_id: str) -> None:
    """Quiet hours are over for a message whose last attempt was not accepted."""
    out = turn.record.outgoing.get(message_id)
    if out is not None and out.state == retry.WAITING:
        _again(turn, out, out.channel, out.provider)


def _again(turn: Turn, out: Outgoing, channel: str, provider: str) -> None:
    code = turn.program.rules.get(out.candidate.rule)
    if code is None or code.rule.notify is None:
        _give_up(turn, out, Reason.RULE_REMOVED, is_free=True)
        return
    verdict = retry.ask_again(turn, code, out, channel)
    if isinstance(verdict, str):
        _give_up(turn, out, verdict, is_free=True)
        return
    out.channel, out.provider = channel, provider
    if isinstance(verdict, Hold):
        retry.wait(turn, code, out, verdict)
        return
    out.attempts += 1
    out.contact, out.state = verdict.address, "started"
    caps.reserve(turn, code, out.message_id, channel, out.contact)
    out.tried.append(f"{channel}/{provider}")
    out.attempt_id = derived_id("attempt", out.message_id, str(out.attempts))
    _attempt(turn, code, out, None)


def _give_up(turn: Turn, out: Outgoing, reason: str, *, is_free: bool) -> None:
    """A second record for the message: it was approved, and it did not go out (or nobody knows)."""
    candidate = out.candidate
    del turn.record.outgoing[out.message_id]
    if is_free:
        caps.release(turn, out.message_id)
    code = turn.program.rules.get(candidate.rule)
    notify = None if code is None else code.rule.notify
    turn.decisions.append(
        recorded(
            turn,
            candidate,
            derived_id("decision", out.message_id, reason),
            Outcome.SUPPRESS,
            reason,
            at=turn.now,
            message_class=None if notify is None else notify.message_class,
            channel=out.channel,
            message_id=out.message_id,
        )
    )
