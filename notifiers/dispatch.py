"""Carries out one attempt: the last look, the text, the call, the answer as an event.

In: an attempt that was committed as started, the texts, the providers. Out: one `Answer`.
Invariant: one attempt calls one provider at most once, and always gets an answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from belfry.engine.decisions import Attempt
from belfry.engine.events import Answer
from belfry.engine.rulebook.model import Rulebook
from belfry.notifiers.provider import (
    Failure,
    Provider,
    Rejected,
    Retry,
    Said,
    Unknown,
    answer_event,
)
from belfry.notifiers.render import Unrenderable, text_of


def carry_out(
    attempt: Attempt, book: Rulebook, providers: Mapping[str, Provider], *, at: dt.datetime
) -> Answer:
    """`at` is the instant of the call and of its answer."""
    return answer_event(attempt, _said(attempt, book, providers, at=at), at=at)


def _said(
    attempt: Attempt, book: Rulebook, providers: Mapping[str, Provider], *, at: dt.datetime
) -> Said:
    # Expiry is a fact of this instant: the attempt may have waited since it was decided.
    if attempt.expires_at is not None and at >= attempt.expires_at:
        return Rejected(Failure.EXPIRED, Retry.NEVER)
    provider = providers.get(attempt.provider)
    if provider is None:
        return Rejected(Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER, raw=attempt.provider)
    text = text_of(attempt, book)
    if text is None:
        return Rejected(Failure.NO_TEMPLATE, Retry.NEVER, raw=attempt.template)
    if isinstance(text, Unrenderable):
        return Rejected(Failure.UNRENDERABLE, Retry.NEVER, raw=f"{text.template}: {text.why}")
    try:
        return provider.send(attempt, text)
    except Exception as crash:  # noqa: BLE001  (a provider broke its promise; the host must not)
        # It may have sent before it broke.
        return Unknown(Failure.CRASHED, raw=type(crash).__name__)
