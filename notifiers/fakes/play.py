"""What a fake provider does with a message.

In: a word. Out: the part it plays; all but `refuse` take the message over first.
"""

from __future__ import annotations

import enum


class Play(enum.StrEnum):
    """`drop`, `hang` and `fail` accept, and then say nothing or the wrong thing."""

    ACCEPT = "accept"
    DROP = "drop"
    FAIL = "fail"
    HANG = "hang"
    REFUSE = "refuse"
