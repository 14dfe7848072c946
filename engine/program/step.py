"""One generated function per event type that takes a plain event all the way in.

In: a record, an event not older than the record's latest. Out: `Step`: None when nothing came of
it; `OTHERWISE` when it must go the general way, with nothing changed yet; or what was found, with
the features that leave the current event out still to be updated.
Invariant: does what `observe`, `Plan.look` and `Plan.update_…` do one after the other.
Why: an event that sets nothing in motion is the common one, and calls, attributes and look-ups of
the same window cost more than the rules themselves (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from belfry.engine.program.conditions import Conditions
from belfry.engine.program.look import INDEX_FROM, look_lines
from belfry.engine.program.plan import Plan
from belfry.engine.program.reads import Reader, is_costly
from belfry.engine.program.updates import KEYS, take_in, value_lines, window_name
from belfry.engine.record import Record
from belfry.engine.rulebook.model import Feature, Rulebook
from belfry.engine.sight import Sight, of_event, owner_of

OTHERWISE: Any = object()
FAULTY: Any = object()  # a rule could not be computed: ask them one by one
Step = Callable[[Record, Any, Any], Any]
SPACE = {
    "OTHERWISE": OTHERWISE, "FAULTY": FAULTY, "of_event": of_event, "owner_of": owner_of,
}  # fmt: skip


def define_step(
    cond: Conditions, book: Rulebook, plan: Plan, wakes: frozenset[str], look: str
) -> str | None:
    """Name of `step(r, e, t)`; None where events of this type always go the general way.

    `look`: the function that finds rules by an index, where there are too many to write out.
    """
    if plan.is_fact or plan.needs_previous:
        return None
    reader = Reader(cond.types, plan.kind, cond.feature_names, sight="")
    features = [f for f in book.features.values() if plan.kind in f.events]
    windows = {f.name: f"w{number}" for number, f in enumerate(features)}
    included, excluded = (
        [
            line
            for f in features
            if f.current_included is now
            for line in take_in(cond, f, reader, wakes, windows[f.name])
        ]
        for now in (True, False)
    )
    asked = _look(cond, book, plan, reader, windows, look)
    found = "found is not None or r.live" if plan.is_plain else "True"
    body = [
        *reader.loads([name for name in reader.locals if not is_costly(name)]),
        *(f"{windows[f.name]} = {_window_of(f)}" for f in features),
        *included,
        *asked,
        f"if {found}:",
        "    return of_event(r, e, t), found",
        *excluded,
        "return None",
    ]
    keys = {f.by for f in book.features.values()}
    return cond.define(*_head(plan, reader, keys), *body, takes="r, e, t")


def _head(plan: Plan, reader: Reader, keys: set[str]) -> list[str]:
    """Whose account, card and loan it is, as far as somebody reads it; the balance is taken in."""
    heads = {name.partition(".")[0] for name in reader.locals} | keys
    lines = ["at = t", "windows = r.windows"]
    if heads & {"card"}:
        lines += ["card_id = e.card_id or ''", "k = r.cards.get(card_id)"]
    if heads & {"loan"}:
        lines += ["loan_id = e.loan_id or ''", "l = r.loans.get(loan_id)"]
    if plan.kind == "transaction" or heads & {"account"}:
        lines += ["account_id = e.account_id or owner_of(r, e)", "a = r.accounts.get(account_id)"]
    if plan.kind == "transaction":
        lines += ["if e.reverses is not None or (a is None and e.account_id):"]
        lines += ["    return OTHERWISE"]
        lines += ["if e.balance is not None and e.account_id:", "    a.balance = e.balance"]
    return lines


def _window_of(feature: Feature) -> str:
    source = f"windows.get({window_name(feature)})"
    return source if feature.by == "customer" else f"{source} if {KEYS[feature.by]} else None"


def _look(
    cond: Conditions,
    book: Rulebook,
    plan: Plan,
    reader: Reader,
    windows: dict[str, str],
    look: str,
) -> list[str]:
    if not plan.direct:
        return ["found = None"]
    if len(plan.direct) > INDEX_FROM:
        asked = [f"found = {look}(of_event(r, e, t))"]
    else:

        def load(name: str) -> list[str]:
            return _load(cond, book.features[name.partition(".")[2]], reader(name), windows)

        asked = look_lines(cond, plan.direct, reader, load)
    safe = ["    " + line for line in asked]
    return ["try:", *safe, "except ArithmeticError:", "    found = FAULTY"]


def _load(
    cond: Conditions, feature: Feature, target: str, windows: dict[str, str]
) -> list[str]:
    """Lines that put a feature's value into a variable."""
    if feature.entity is not None:
        return [f"{target} = {cond.feature_names[feature.name]}(of_event(r, e, t))"]
    window, lines = windows.get(feature.name), []
    if window is None:
        window, lines = "win", [f"win = {_window_of(feature)}"]
    lines += value_lines(cond, feature, target, window, "t")
    if feature.by == "customer":
        return lines
    inner = ["    " + line for line in lines]
    return [f"if {KEYS[feature.by]}:", *inner, "else:", f"    {target} = None"]
