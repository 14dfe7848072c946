"""Where providers tell what became of an attempt: its path, there and back.

In: an attempt; a path. Out: a URL; customer and attempt. Imports no provider: every call asks it.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from belfry.engine.decisions import Attempt

PATH = "/v1/callbacks/twilio"
TOLD_BY = {"twilio_sms": PATH, "twilio_voice": PATH}  # provider → where its receipts come to


def callback_url(public_url: str, attempt: Attempt) -> str | None:
    """Where receipts of this attempt go; None: nowhere, or its provider tells none."""
    path = TOLD_BY.get(attempt.provider)
    if not public_url or path is None:
        return None
    names = (attempt.customer_id, attempt.attempt_id)
    return "/".join([public_url.rstrip("/") + path, *(quote(one, safe="") for one in names)])


def attempt_of(raw_path: str) -> tuple[str, str] | None:
    """Customer and attempt of a path that `callback_url` made."""
    _, found, rest = raw_path.rpartition(PATH + "/")
    names = [unquote(one) for one in rest.split("/")]
    if not found or len(names) != 2 or not all(names):
        return None
    return names[0], names[1]
