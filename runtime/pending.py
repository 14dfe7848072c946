"""What a batch has brought so far: rows for the transaction, and what to tell after it.

In: outcomes, refusals, answers. Out: `Changes`, and a share of `Committed` once they are on disk.
Decision records are encoded as a replay encodes them.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from belfry.connectors.quarantine import QuarantineRecord
from belfry.engine.decisions import Outcome
from belfry.engine.events import Answer
from belfry.runtime.ports import Batch, Changes, Committed, StoredDecision, Taken, micros

# Details begin with the field that they are about: `amount is …`, `holders.role: …`.
_FIELD = re.compile(r"([a-z_]+(?:\.[a-z_]+|\[\.*\])*)(?::| (?:is|needs)\b)")
as_json = msgspec.json.Encoder(order="deterministic").encode


class Pending:
    """One transaction's worth."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.out = Committed()

    def hear(self, outcome: Outcome) -> None:
        """What a step has said."""
        changes, out = self.changes, self.out
        for decision in outcome.decisions:
            changes.decisions.append(
                StoredDecision(
                    micros(decision.at),
                    decision.customer_id,
                    decision.rule,
                    decision.outcome,
                    decision.reason,
                    as_json(decision),
                )
            )
        for task in outcome.tasks:
            changes.tasks.append((micros(task.at), task.customer_id, as_json(task)))
        out.decisions += outcome.decisions
        out.tasks += outcome.tasks
        out.conversions += outcome.conversions
        out.unknown.update(outcome.unknown)
        out.errors.update(outcome.errors)
        out.unsure.update(outcome.unsure)
        out.attempts += len(outcome.attempts)

    def refuse(self, at: int, bad: QuarantineRecord) -> None:
        """A record that was not accepted, kept with its bytes."""
        self.changes.quarantine.append((at, as_json(bad)))

    def answered(self, answer: Answer) -> None:
        """An attempt is settled. Only our word for it is kept: a provider's own may name people."""
        code = (answer.code or "").partition(":")[0]
        self.changes.states.append((answer.result, micros(answer.time), code, answer.attempt_id))
        self.out.answers.append(answer)

    def remember(self, batch: Batch, taken: Taken, at: int) -> None:
        """The answer to a request with an Idempotency-Key."""
        said = {"digest": batch.digest, "answer": counts(batch, taken)}
        self.changes.requests.append((batch.key, at, as_json(said)))

    def request(self, key: str) -> bytes | None:
        """The answer that this very transaction gives."""
        return next((raw for one, _, raw in self.changes.requests if one == key), None)

    def move_to(self, done: Committed) -> None:
        """It is on disk: now it may be told."""
        out = self.out
        done.decisions += out.decisions
        done.tasks += out.tasks
        done.conversions += out.conversions
        done.answers += out.answers
        done.unknown.update(out.unknown)
        done.errors.update(out.errors)
        done.unsure.update(out.unsure)
        done.attempts += out.attempts
        done.timers += out.timers
        done.lateness_s += out.lateness_s


def answer_of(known: bytes, digest: str) -> Taken:
    """What was said to the same request before; a conflict if it was another one."""
    said = msgspec.json.decode(known)
    if said["digest"] != digest:
        return Taken(is_conflict=True)
    return Taken(answer=said["answer"])


def counts(batch: Batch, taken: Taken) -> dict[str, Any]:
    """The body of the answer to a request. `index` counts the events of the request from 0."""
    places = batch.places or range(len(batch.events))
    rejected = [rejection(places[at], why.reason, why.detail) for at, why in taken.rejected]
    rejected += [
        rejection(at, bad.reason, bad.detail)
        for at, bad in zip(batch.bad_places, batch.bad, strict=False)
    ]
    rejected.sort(key=lambda one: one["index"])
    return {
        "accepted": taken.applied + taken.repeated + taken.late,
        "applied": taken.applied,
        "repeated": taken.repeated,
        "late": taken.late,
        "rejected": rejected,
    }


def rejection(index: int, reason: str, detail: str) -> dict[str, Any]:
    """One refused event: its place, the field to blame if there is one, reason, words."""
    found = _FIELD.match(detail)
    field = found[1] if found else None
    return {"index": index, "field": field, "reason": reason, "detail": detail}
