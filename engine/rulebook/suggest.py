"""Did you mean: the one name among those that exist which a wrong one was probably meant to be.

In: a word, the names that would have been right. Out: a sentence for `Fault.hint`, or None.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

SIMILARITY_MIN = 0.6  # below this a suggestion confuses more than it helps
LISTED_MAX = 12


def closest(word: str, names: Iterable[str]) -> str | None:
    """The most similar name; case and `-`/`_` are no difference."""
    known = {_plain(name): name for name in names}
    if _plain(word) in known:
        return known[_plain(word)]
    found = difflib.get_close_matches(_plain(word), known, n=1, cutoff=SIMILARITY_MIN)
    return known[found[0]] if found else None


def did_you_mean(
    word: str, names: Iterable[str], *, elsewhere: Mapping[str, str] | None = None
) -> str | None:
    """`did you mean 'x'?`; `elsewhere` maps words of other products to ours."""
    choices = tuple(names)
    meant = (elsewhere or {}).get(word.lower())
    if meant not in choices:
        meant = closest(word, choices)
    return f"did you mean '{meant}'?" if meant else None


def listed(names: Iterable[str]) -> str:
    """Names for `Fault.expected`: sorted as given, long lists cut."""
    choices = list(names)
    shown = ", ".join(choices[:LISTED_MAX])
    return f"{shown}, … ({len(choices)} in all)" if len(choices) > LISTED_MAX else shown


def _plain(word: str) -> str:
    return word.lower().replace("-", "_").strip()
