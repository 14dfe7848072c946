"""The records of one HTTP body: an object, an array, or lines; CloudEvents alone or as a batch.

In: bytes and their Content-Type. Out: one piece a record, in order, or why it is no body at all.
Invariant: a piece is not looked into: what is wrong with it is its own matter, not its neighbours'.
"""

from __future__ import annotations

import msgspec

from belfry.connectors.reasons import Reason, Rejected

LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines")
_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_one = msgspec.json.Decoder(msgspec.Raw).decode


def records_of(body: bytes, content_type: str = "") -> list[bytes] | Rejected:
    """Whatever the type says, an array is an array; several objects are lines."""
    text = body.strip()
    if not text:
        return Rejected(Reason.BROKEN_JSON, "the body is empty")
    kind = content_type.partition(";")[0].strip().lower()
    if text.startswith(b"[") and kind not in LINES:
        try:
            return [bytes(one) for one in _array(text)]
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return Rejected(Reason.BROKEN_JSON, "the body starts like a JSON array and is none")
    if kind not in LINES and _is_one(text):
        return [text]
    return [line for line in text.splitlines() if line.strip()]


def _is_one(text: bytes) -> bool:
    try:
        _one(text)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        # Broken over several lines it is one broken record, not many.
        return not text.startswith(b"{") or not _starts_objects(text)
    return True


def _starts_objects(text: bytes) -> bool:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return len(lines) > 1 and all(line.startswith(b"{") for line in lines)
