"""Settle: answers and receipts end a message, or send it on: another provider, another channel.

In: answers, receipts, timers of a message. Out: another attempt, a message that waits, or its end.
Invariant: a message has one attempt under way at most; what is said of an attempt counts only
upwards in rank; the same provider is asked again only after a pause; channels go in the rule's
order and never back.
Source: docs/decisions/0011-the-ladder.md.
"""

from __future__ import annotations

from typing import Any

from belfry.engine import caps, dispatch, retry
from belfry.engine.agenda import drop_timer, set_timer
from belfry.engine.decisions import derived_id
from belfry.engine.gates import Hold
from belfry.engine.reasons import Outcome, Reason
from belfry.engine.record import Outgoing, TimerEntry, joined
from belfry.engine.recorded import recorded
from belfry.engine.rulebook.model import Notify
from belfry.engine.turn import Turn

# What is known of an attempt. `acted` is said of the message, by its rule's goal.
RANKS = {"unknown": 0, "accepted": 1, "failed": 2, "delivered": 3, "read": 4, "acted": 5}
ARRIVED = frozenset({"accepted", "delivered", "read"})
ATTEMPTS_MAX = 8  # per message, on all channels; expiry usually ends it earlier
Route = tuple[str, str]  # channel, provider


def answered(turn: Turn, answer: Any) -> None:
    """What a provider said at once. Only what nothing is known of yet can be answered."""
    attempt_id = answer.attempt_id
    out = _find(turn, attempt_id)
    if out is None or out.said[attempt_id] != "unknown":
        return
    is_awaited = out.attempt_id == attempt_id and out.state == "started"
    match answer.result:
        case "accepted":
            _reached(turn, out, attempt_id, "accepted")
        case "rejected":
            del out.said[attempt_id]
            if is_awaited:
                _rejected(turn, out, answer.retry)
        case _ if is_awaited:
            _unknown(turn, out)


def received(turn: Turn, receipt: Any) -> None:
    """What a provider said later, of the last attempt or an earlier one."""
    attempt_id, word = receipt.attempt_id, receipt.result
    out = _find(turn, attempt_id)
    if out is None or RANKS[word] <= RANKS[out.said[attempt_id]]:
        return
    if word != "failed":
        _reached(turn, out, attempt_id, word)
        return
    out.said[attempt_id] = word
    if attempt_id == out.attempt_id and out.state != retry.WAITING:
        _rejected(turn, out, "never")


def acted(turn: Turn, message_id: str) -> None:
    """The customer did what the message was for: no further channel says it again."""
    out = turn.record.outgoing.get(message_id)
    if out is not None and not ARRIVED.isdisjoint(out.said.values()):
        _end(turn, out)


def resume(turn: Turn, message_id: str) -> None:
    """A pause or quiet hours are over for a message that waits."""
    out = turn.record.outgoing.get(message_id)
    if out is not None and out.state == retry.WAITING:
        routes = [(out.channel, out.provider), *_rungs(turn, out)]
        _go_on(turn, out, routes, Reason.PROVIDER_EXHAUSTED, is_rested=True)


def climb(turn: Turn, message_id: str) -> None:
    """The receipt that the rule waits for did not come in time."""
    out = turn.record.outgoing.get(message_id)
    if out is not None and out.state == "accepted":
        _go_on(turn, out, _rungs(turn, out), Reason.NO_ANSWER)


def _find(turn: Turn, attempt_id: str) -> Outgoing | None:
    return next((o for o in turn.record.outgoing.values() if attempt_id in o.said), None)


def _notify(turn: Turn, out: Outgoing) -> Notify | None:
    code = turn.program.rules.get(out.candidate.rule)
    return None if code is None else code.rule.notify


def _reached(turn: Turn, out: Outgoing, attempt_id: str, word: str) -> None:
    """A provider has it, perhaps after all: no retry any more; the rule may wait for a receipt."""
    is_news = out.said[attempt_id] == "unknown" and out.state != "accepted"
    out.said[attempt_id] = word
    notify = _notify(turn, out)
    if notify is None or notify.until is None or RANKS[word] >= RANKS[notify.until]:
        _end(turn, out)
    elif is_news:
        assert notify.within is not None
        drop_timer(turn.record, joined("retry", out.message_id))
        out.attempt_id, out.state = attempt_id, "accepted"
        ladder = joined("ladder", out.message_id)
        set_timer(turn.record, ladder, TimerEntry(turn.now + notify.within))


def _rejected(turn: Turn, out: Outgoing, again: str) -> None:
    """Surely not there: the channel's next provider, the same one later, then the next channel."""
    routes = [] if again == "never" else _other_providers(turn, out)
    if again == "same_provider":
        routes.append((out.channel, out.provider))
    never = again == "never"
    reason = Reason.PROVIDER_REJECTED if never else Reason.PROVIDER_EXHAUSTED
    _go_on(turn, out, [*routes, *_rungs(turn, out)], reason)


def _unknown(turn: Turn, out: Outgoing) -> None:
    """May have been sent: the class says whether to risk a second one or a lost one."""
    notify = _notify(turn, out)
    classes = turn.program.book.policies.classes
    routes: list[Route] = []
    match None if notify is None else classes[notify.message_class].unanswered:
        case "resend":
            routes = [*_other_providers(turn, out), *_rungs(turn, out)]
            routes.append((out.channel, out.provider))
        case "other_channel":
            routes = _rungs(turn, out)
    _go_on(turn, out, routes, Reason.NO_ANSWER)


def _other_providers(turn: Turn, out: Outgoing) -> list[Route]:
    channel = turn.program.book.policies.channels.get(out.channel)
    found = [] if channel is None else [(out.channel, one) for one in channel.providers]
    return [route for route in found if "/".join(route) not in out.tried]


def _rungs(turn: Turn, out: Outgoing) -> list[Route]:
    """The rule's further channels, each with its first provider."""
    notify = _notify(turn, out)
    channels = () if notify is None else notify.channels
    if out.channel in channels:
        channels = channels[channels.index(out.channel) + 1 :]
    policies = turn.program.book.policies.channels
    return [(channel, policies[channel].providers[0]) for channel in channels]


def _go_on(
    turn: Turn, out: Outgoing, routes: list[Route], reason: str, *, is_rested: bool = False
) -> None:
    """Take the first route that the gates let pass now, or later; without one it is over."""
    code = turn.program.rules.get(out.candidate.rule)
    if code is None or code.rule.notify is None:
        _give_up(turn, out, Reason.RULE_REMOVED)
        return
    for route in routes if out.attempts < ATTEMPTS_MAX else ():
        verdict = retry.ask_again(turn, code, out, route[0])
        if not isinstance(verdict, Hold | str) and not is_rested and "/".join(route) in out.tried:
            verdict = retry.pause(turn, code, out)
        if isinstance(verdict, str):
            # Of the channel that it was on; that others are closed as well explains less.
            reason = verdict if route[0] == out.channel else reason
            continue
        drop_timer(turn.record, joined("ladder", out.message_id))
        out.channel, out.provider = route
        if isinstance(verdict, Hold):
            retry.wait(turn, code, out, verdict)
        else:
            dispatch.again(turn, code, out, verdict.address)
        return
    _give_up(turn, out, reason)


def _end(turn: Turn, out: Outgoing) -> None:
    del turn.record.outgoing[out.message_id]
    for kind in ("ladder", "retry"):
        drop_timer(turn.record, joined(kind, out.message_id))


def _give_up(turn: Turn, out: Outgoing, reason: str) -> None:
    """A second record for the message: it was approved, and it did not go out (or nobody knows)."""
    _end(turn, out)
    said = set(out.said.values())
    if not ARRIVED.isdisjoint(said):
        return  # a provider has it: no receipt is no failure
    notify = _notify(turn, out)
    message_class = None if notify is None else notify.message_class
    if "unknown" in said:
        turn.unsure.append(("possibly_lost", message_class or ""))
    else:
        caps.release(turn, out.message_id)
    turn.decisions.append(
        recorded(
            turn,
            out.candidate,
            derived_id("decision", out.message_id, reason),
            Outcome.SUPPRESS,
            reason,
            at=turn.now,
            message_class=message_class,
            channel=out.channel,
            message_id=out.message_id,
        )
    )
