"""Metrics: every figure that `/metrics` shows, in one table; docs/reference/metrics.md shows it.

In: what the host committed. Out: Prometheus text.
Invariant: a label's values come from a closed set (rule ids of the rulebook, words of our lists):
never a customer, an address, an amount.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from belfry.engine.decisions import Attempt
from belfry.engine.events import Answer
from belfry.engine.program import Program
from belfry.runtime.embedded import Host
from belfry.runtime.ports import Batch, Committed, Taken

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LONG = (0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 86400.0)


class Metric(NamedTuple):
    """One row: what `/metrics` calls it. `unit` is the last word of the name but `_total`."""

    name: str
    kind: str
    unit: str
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()


METRICS: tuple[Metric, ...] = (
    Metric("belfry_build_info", "gauge", "-", ("version",), "1; the version that runs"),
    Metric("belfry_rulebook_info", "gauge", "-", ("hash",), "1; the rulebook that decides"),
    Metric("belfry_rulebook_rules", "gauge", "rules", (), "rules in the rulebook"),
    Metric(
        "belfry_rulebook_reload_successful", "gauge", "0 or 1", (),
        "whether the last reload was taken; 0: its faults are in the log, the old one decides",
    ),
    Metric(
        "belfry_events_total", "counter", "events", ("outcome",),
        "events received: applied, repeated, late, rejected",
    ),
    Metric("belfry_events_applied_total", "counter", "events", ("type",), "those taken, by type"),
    Metric(
        "belfry_events_rejected_total", "counter", "events", ("reason",),
        "records in quarantine, by reason (docs/reference/reasons.md)",
    ),
    Metric(
        "belfry_last_event_timestamp_seconds", "gauge", "seconds", (),
        "the time of the latest event taken, since 1970",
    ),
    Metric(
        "belfry_requests_refused_total", "counter", "requests", (),
        "requests answered with 429 because the queue was full",
    ),
    Metric(
        "belfry_decisions_total", "counter", "decisions", ("rule", "class", "outcome", "reason"),
        "decision records",
    ),
    Metric("belfry_tasks_total", "counter", "tasks", ("rule",), "tasks for staff"),
    Metric(
        "belfry_conversions_total", "counter", "goals", ("rule", "group"),
        "goals met, by those told and by the holdout",
    ),
    Metric(
        "belfry_rule_unknown_total", "counter", "looks", ("rule",),
        "conditions that could not be decided because a value was missing",
    ),
    Metric(
        "belfry_rule_errors_total", "counter", "looks", ("rule",),
        "conditions that could not be computed, such as a division by zero",
    ),
    Metric(
        "belfry_attempts_total", "counter", "attempts", ("channel", "provider", "result"),
        "calls to providers, by what they said",
    ),
    Metric(
        "belfry_callbacks_total", "counter", "requests", ("outcome",),
        "requests of providers to us: receipt, no_news, unknown_word, consent, other_text, refused",
    ),
    Metric(
        "belfry_provider_seconds", "histogram", "seconds", ("provider",),
        "how long a provider took to answer, with the wait for its turn", FAST,
    ),
    Metric(
        "belfry_provider_wait_seconds", "histogram", "seconds", ("provider", "class"),
        "how long an attempt waited for its turn: rate limit, free slots, more urgent ones", FAST,
    ),
    Metric(
        "belfry_provider_waiting", "gauge", "attempts", ("provider",),
        "attempts that wait for their turn",
    ),
    Metric(
        "belfry_provider_pace", "gauge", "ratio", ("provider",),
        "share of its limits that a provider is used at; below 1 after it said: too many",
    ),
    Metric(
        "belfry_provider_breaker_open", "gauge", "0 or 1", ("provider",),
        "whether a provider is left alone because its calls failed",
    ),
    Metric(
        "belfry_redis_failures_total", "counter", "questions", (),
        "questions to Redis without an answer; security goes on at a share of the rate",
    ),
    Metric(
        "belfry_delivery_seconds", "histogram", "seconds", ("class",),
        "from the decision to the provider's acceptance", LONG,
    ),
    Metric(
        "belfry_possibly_lost_total", "counter", "messages", ("class",),
        "messages that ended without an acceptance though an attempt had no answer",
    ),
    Metric(
        "belfry_possibly_duplicated_total", "counter", "attempts", ("class",),
        "attempts made although an earlier one had no answer and may have arrived",
    ),
    Metric("belfry_attempts_waiting", "gauge", "attempts", (), "attempts that wait for room"),
    Metric("belfry_attempts_under_way", "gauge", "attempts", (), "calls without an answer yet"),
    Metric("belfry_queue_records", "gauge", "records", (), "records that wait for a commit"),
    Metric(
        "belfry_timer_lateness_seconds", "histogram", "seconds", (),
        "how long after its instant a timer fired", LONG,
    ),
    Metric("belfry_timers_fired_total", "counter", "timers", (), "due records looked at"),
    Metric(
        "belfry_customers_stuck", "gauge", "customers", (),
        "customers whose timers failed in the engine; they rest until the next reload",
    ),
    Metric("belfry_commit_seconds", "histogram", "seconds", (), "one batch: decode to disk", FAST),
    Metric("belfry_commit_failures_total", "counter", "commits", (), "commits the disk refused"),
)  # fmt: skip
_KINDS: dict[str, Any] = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}


class Metrics:
    """The figures of one process, in a registry of its own."""

    def __init__(self, version: str = "") -> None:
        self.registry = CollectorRegistry()
        self._all = {one.name: _made(one, self.registry) for one in METRICS}
        self.commit_seconds = self._all["belfry_commit_seconds"]
        self.commit_failures = self._all["belfry_commit_failures_total"]
        self.refused_full = self._all["belfry_requests_refused_total"]
        self._all["belfry_build_info"].labels(version).set(1)

    def __getitem__(self, name: str) -> Any:
        return self._all[name]

    def text(self) -> bytes:
        return generate_latest(self.registry)

    def decides(self, program: Program, *, is_taken: bool = True) -> None:
        """A rulebook was loaded, or refused."""
        self["belfry_rulebook_reload_successful"].set(int(is_taken))
        if is_taken:
            info = self["belfry_rulebook_info"]
            info.clear()
            info.labels(program.book.hash).set(1)
            self["belfry_rulebook_rules"].set(len(program.book.rules))

    def took(self, batch: Batch, taken: Taken) -> None:
        """A batch was answered."""
        events, rejected = self["belfry_events_total"], self["belfry_events_rejected_total"]
        for word in ("applied", "repeated", "late"):
            count = getattr(taken, word)
            if count:
                events.labels(word).inc(count)
        for reason in [*(why.reason for _, why in taken.rejected), *(b.reason for b in batch.bad)]:
            events.labels("rejected").inc()
            rejected.labels(str(reason)).inc()
        if batch.events:
            latest = max(event.time for event in batch.events)
            self["belfry_last_event_timestamp_seconds"].set(latest.timestamp())

    def committed(self, done: Committed) -> None:
        """Something is on disk."""
        for kind, count in done.by_type.items():
            self["belfry_events_applied_total"].labels(kind).inc(count)
        decisions = self["belfry_decisions_total"]
        for one in done.decisions:
            decisions.labels(
                one.rule, one.message_class or "", str(one.outcome), str(one.reason)
            ).inc()
        for task in done.tasks:
            self["belfry_tasks_total"].labels(task.rule).inc()
        for goal in done.conversions:
            group = "told" if goal.told else "holdout"
            self["belfry_conversions_total"].labels(goal.rule, group).inc()
        for name, rules in (("unknown", done.unknown), ("errors", done.errors)):
            for rule, count in rules.items():
                self[f"belfry_rule_{name}_total"].labels(rule).inc(count)
        for (word, message_class), count in done.unsure.items():
            self[f"belfry_{word}_total"].labels(message_class).inc(count)
        self["belfry_timers_fired_total"].inc(done.timers)
        for late in done.lateness_s:
            self["belfry_timer_lateness_seconds"].observe(late)

    def called(self, attempt: Attempt, answer: Answer, seconds: float) -> None:
        """A provider answered."""
        labels = (attempt.channel, attempt.provider, answer.result)
        self["belfry_attempts_total"].labels(*labels).inc()
        self["belfry_provider_seconds"].labels(attempt.provider).observe(seconds)
        if answer.result == "accepted":
            waited = max(0.0, (answer.time - attempt.at).total_seconds())
            self["belfry_delivery_seconds"].labels(attempt.message_class).observe(waited)

    def waited(self, provider: str, message_class: str, seconds: float) -> None:
        """The turn of an attempt has come."""
        self["belfry_provider_wait_seconds"].labels(provider, message_class).observe(seconds)

    def goes(self, provider: str, waiting: int, pace: float, *, is_open: bool) -> None:
        """How an executor does just now."""
        self["belfry_provider_waiting"].labels(provider).set(waiting)
        self["belfry_provider_pace"].labels(provider).set(pace)
        self["belfry_provider_breaker_open"].labels(provider).set(int(is_open))

    def watch(self, host: Host, queued: int) -> None:
        """How much waits just now."""
        self["belfry_attempts_waiting"].set(host.outbox.waiting)
        self["belfry_attempts_under_way"].set(len(host.outbox.under_way))
        self["belfry_customers_stuck"].set(len(host.stuck))
        self["belfry_queue_records"].set(queued)


def _made(row: Metric, registry: CollectorRegistry) -> Any:
    more = {"buckets": row.buckets} if row.buckets else {}
    return _KINDS[row.kind](row.name, row.help, row.labels, registry=registry, **more)
