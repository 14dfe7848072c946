"""The circuit breaker of one provider: after some failures in a row it is left alone for a while.

In: what the provider said, monotonic seconds. Out: whether it may be called.
Invariant: an open breaker lets one call through when its time is over; that one decides.
"""

from __future__ import annotations

from belfry.notifiers.provider import Failure, Rejected, Said, Unknown

FAILURES = 5  # in a row
OPEN_S, OPEN_MAX_S = 5.0, 60.0  # doubled each time the trial fails


class Breaker:
    """Counts time-outs, broken calls and `unavailable`; any other answer shows that it lives."""

    def __init__(self) -> None:
        self._failures = 0
        self._open_s = OPEN_S
        self._until: float | None = None
        self._is_on_trial = False

    @property
    def is_open(self) -> bool:
        return self._until is not None

    def allows(self, now: float) -> bool:
        """Asked once for each call: the one that is let through is the trial."""
        if self._until is None:
            return True
        if now < self._until or self._is_on_trial:
            return False
        self._is_on_trial = True
        return True

    def heard(self, said: Said, now: float) -> None:
        """The call that was allowed has ended."""
        was_trial, self._is_on_trial = self._is_on_trial, False
        if not _is_failure(said):
            self._failures, self._until, self._open_s = 0, None, OPEN_S
            return
        self._failures += 1
        if was_trial:
            self._open_s = min(2 * self._open_s, OPEN_MAX_S)
        if was_trial or (self._until is None and self._failures >= FAILURES):
            self._until = now + self._open_s

    def gave_back(self) -> None:
        """The call that was allowed never happened."""
        self._is_on_trial = False


def _is_failure(said: Said) -> bool:
    if isinstance(said, Unknown):
        return True
    return isinstance(said, Rejected) and said.failure is Failure.UNAVAILABLE
