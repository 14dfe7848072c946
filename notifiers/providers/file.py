"""Appends messages to a file, one JSON object a line: for other programs, and for audits.

In: an attempt and its text. Out: a line with the whole contact, so guard the file like the data.
Invariant: with `fsync`, what was accepted survives a power cut.
"""

from __future__ import annotations

import os
from pathlib import Path

import orjson

from belfry.notifiers.provider import Accepted, Failure, Message, Rejected, Retry, Said, Unknown
from belfry.notifiers.render import message_row


class File:
    """Opens `path` to append, and makes it readable by its owner only."""

    def __init__(self, *, path: Path | str, fsync: bool = False) -> None:
        self.name = "file"
        self._fsync = fsync
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._is_open = True

    async def send(self, message: Message) -> Said:
        if not self._is_open:
            return Rejected(Failure.UNAVAILABLE, Retry.OTHER_PROVIDER, raw="closed")
        try:
            line = orjson.dumps(message_row(message.attempt, message.text)) + b"\n"
        except orjson.JSONEncodeError as problem:
            return Rejected(Failure.UNRENDERABLE, Retry.NEVER, raw=str(problem))
        try:
            written = os.write(self._descriptor, line)
        except OSError as problem:
            return Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER, raw=problem.strerror or "")
        try:
            if written < len(line):
                # The disk filled up within the line: a reader may or may not make sense of it.
                return Unknown(Failure.UNAVAILABLE, raw="short write")
            if self._fsync:
                os.fsync(self._descriptor)
        except OSError as problem:
            return Unknown(Failure.UNAVAILABLE, raw=problem.strerror or "")
        return Accepted(provider_ref=message.attempt.attempt_id)

    async def close(self) -> None:
        if self._is_open:
            self._is_open = False
            os.close(self._descriptor)
