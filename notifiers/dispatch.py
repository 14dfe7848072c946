"""Carries out one attempt: the last look, the text, the call, the answer as an event.

In: an attempt that was committed as started, the texts, the providers. Out: one `Answer`.
Invariant: one attempt calls one provider at most once, and always gets an answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from belfry.engine.decisions import Attempt
from belfry.engine.events import Answer
from belfry.engine.rulebook.model import Rulebook
from belfry.notifiers.callbacks import callback_url
from belfry.notifiers.provider import (
    Failure,
    Message,
    Provider,
    Rejected,
    Retry,
    Said,
    Unknown,
    answer_event,
)
from belfry.notifiers.render import Unrenderable, render, template_of

T = TypeVar("T")


async def carry_out(
    attempt: Attempt, book: Rulebook, providers: Mapping[str, Provider], *, at: dt.datetime,
    public_url: str = "",
) -> Answer:  # fmt: skip
    """`at` is the instant of the call and of its answer. `public_url`: where we are called back."""
    said = await said_of(attempt, book, providers, at=at, public_url=public_url)
    return answer_event(attempt, said, at=at)


async def said_of(
    attempt: Attempt, book: Rulebook, providers: Mapping[str, Provider], *, at: dt.datetime,
    public_url: str = "",
) -> Said:  # fmt: skip
    """The last look, the text, the call."""
    # Expiry is a fact of this instant: the attempt may have waited since it was decided.
    if attempt.expires_at is not None and at >= attempt.expires_at:
        return Rejected(Failure.EXPIRED, Retry.NEVER)
    ttl_s = None if attempt.expires_at is None else (attempt.expires_at - at).total_seconds()
    provider = providers.get(attempt.provider)
    if provider is None:
        return Rejected(Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER, raw=attempt.provider)
    template = template_of(attempt, book)
    if template is None:
        return Rejected(Failure.NO_TEMPLATE, Retry.NEVER, raw=attempt.template)
    text = render(template, language=attempt.language, values=attempt.values)
    if isinstance(text, Unrenderable):
        return Rejected(Failure.UNRENDERABLE, Retry.NEVER, raw=f"{text.template}: {text.why}")
    try:
        back = callback_url(public_url, attempt)
        is_html = template.format == "html"
        message = Message(attempt, text, at, ttl_s, back, is_html=is_html)
        return await provider.send(message)
    except Exception as crash:  # noqa: BLE001  (a provider broke its promise; the host must not)
        # It may have sent before it broke.
        return Unknown(Failure.CRASHED, raw=type(crash).__name__)


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits: a provider in memory or on disk, without a loop.

    Raises `RuntimeError` if it does wait.
    """
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise RuntimeError("it waits: this needs an event loop")
