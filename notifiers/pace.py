"""How fast a provider is gone at, of what it was said to bear: less after "too many", then more.

In: monotonic seconds. Out: a share between 0.1 and 1 of rate and slots.
Invariant: halved once a second at most, however many calls were under way; it grows by the clock.
"""

from __future__ import annotations

LEAST = 0.1
STEP_S = 1.0  # between two halvings; and a tenth is won back in each


class Pace:
    """Additive increase, multiplicative decrease."""

    def __init__(self) -> None:
        self._share = 1.0
        self._since = 0.0

    def share(self, now: float) -> float:
        if self._share >= 1.0:
            return 1.0
        won = int((now - self._since) / STEP_S) / 10
        return min(1.0, round(self._share + won, 2))

    def slow_down(self, now: float) -> None:
        """The provider said that it was too much."""
        if self._share < 1.0 and now - self._since < STEP_S:
            return
        self._share = max(LEAST, round(self.share(now) / 2, 2))
        self._since = now
