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
from decimal import Decimal
from typing import Any

from belfry.engine.program.conditions import Conditions
from belfry.engine.program.dependencies import growing
from belfry.engine.program.look import INDEX_FROM, look_lines
from belfry.engine.program.plan import Plan
from belfry.engine.program.reads import Reader, is_costly
from belfry.engine.program.updates import KEYS, take_in, value_lines, window_source
from belfry.engine.program.wakes import Wakes
from belfry.engine.record import Record
from belfry.engine.rulebook.model import Feature, Rulebook
from belfry.engine.sight import of_event, owner_of

OTHERWISE: Any = object()
FAULTY: Any = object()  # a rule could not be computed: ask them one by one
Step = Callable[[Record, Any, Any], Any]
SPACE = {
    "OTHERWISE": OTHERWISE, "FAULTY": FAULTY, "of_event": of_event, "owner_of": owner_of,
}  # fmt: skip


def define_step(
    cond: Conditions, book: Rulebook, plan: Plan, wakes: Wakes, look: str
) -> str | None:
    """Name of `step(r, e, t)`; None where events of this type always go the general way.

    `look`: the function that finds rules by an index, where there are too many to write out.
    """
    if plan.is_fact or plan.needs_previous:
        return None
    return _Writer(cond, book, plan, wakes).define(look)


class _Writer:
    """Writes the lines of one step. `windows`: feature → the variable that holds its window."""

    def __init__(self, cond: Conditions, book: Rulebook, plan: Plan, wakes: Wakes) -> None:
        self.cond, self.book, self.plan, self.wakes = cond, book, plan, wakes
        names = cond.feature_names
        self.reader = Reader(cond.types, plan.kind, names, sight="", whole="of_event(r, e, t)")
        self.features = [f for f in book.features.values() if plan.kind in f.events]
        self.windows = {f.name: f"w{number}" for number, f in enumerate(self.features)}

    def define(self, look: str) -> str:
        included, excluded = self._updates(is_included=True), self._updates(is_included=False)
        asked = self._asked(look)
        body = [
            *self.reader.loads([name for name in self.reader.locals if not is_costly(name)]),
            *(f"{self.windows[f.name]} = {_window_of(f)}" for f in self.features),
            *included,
            *asked,
            f"if {'found is not None or r.live' if self.plan.is_plain else 'True'}:",
            "    return of_event(r, e, t), found",
            *excluded,
            "return None",
        ]
        return self.cond.define(*self._head(), *body, takes="r, e, t")

    def _updates(self, *, is_included: bool) -> list[str]:
        return [
            line
            for f in self.features
            if f.current_included is is_included
            for line in take_in(self.cond, f, self.reader, self.wakes, self.windows[f.name])
        ]

    def _head(self) -> list[str]:
        """Whose account, card and loan it is, as far as somebody reads it, and the balance."""
        keys = {f.by for f in self.book.features.values()}
        heads = {name.partition(".")[0] for name in self.reader.locals} | keys
        is_transaction = self.plan.kind == "transaction"
        lines = ["at = t", "windows = r.windows"]
        if "card" in heads:
            lines += ["card_id = e.card_id or ''", "k = r.cards.get(card_id)"]
        if "loan" in heads:
            lines += ["loan_id = e.loan_id or ''", "l = r.loans.get(loan_id)"]
        if is_transaction or "account" in heads:
            lines.append("account_id = e.account_id or owner_of(r, e)")
            lines.append("a = r.accounts.get(account_id)")
        if is_transaction:
            lines += ["if e.reverses is not None or (a is None and e.account_id):"]
            lines += ["    return OTHERWISE"]
            lines += ["if e.balance is not None and e.account_id:", "    a.balance = e.balance"]
        return lines

    def _asked(self, look: str) -> list[str]:
        if not self.plan.direct:
            return ["found = None"]
        asked = [f"found = {look}(of_event(r, e, t))"]
        if len(self.plan.direct) <= INDEX_FROM:
            asked = look_lines(self.cond, self.plan.direct, self.reader, self._load, self._may_pass)
        safe = ["    " + line for line in asked]
        return ["try:", *safe, "except ArithmeticError:", "    found = FAULTY"]

    def _load(self, name: str) -> list[str]:
        """Lines that put a feature's value into its variable."""
        target = self.reader(name)
        feature = self.book.features.get(name.partition(".")[2])
        if name.startswith("series.") or feature is None or feature.entity is not None:
            return [f"{target} = {self.reader.source(name)}"]
        window, lines = self.windows.get(feature.name), []
        if window is None:
            window, lines = "win", [f"win = {_window_of(feature)}"]
        lines += value_lines(self.cond, feature, target, window, "t")
        if feature.by == "customer":
            return lines
        inner = ["    " + line for line in lines]
        return [f"if {KEYS[feature.by]}:", *inner, "else:", f"    {target} = None"]

    def _may_pass(self, name: str, sign: str, edge: Decimal) -> str | None:
        """A count or a sum of amounts, which are positive, only falls when old items go: while it
        is too low with all of them there is no need to look which are old.
        """
        feature = self.book.features.get(name.partition(".")[2]) if is_costly(name) else None
        if feature is None or feature.name not in self.windows or feature.name in self.wakes.always:
            return None
        if feature.by != "customer" or feature.at_least or not sign.startswith(">") or edge <= 0:
            return None
        grows = growing(feature)
        if grows is None:
            return None
        window = self.windows[feature.name]
        return f"{window} is not None and {window}.{grows} {sign} {self.cond.constants.add(edge)}"


def _window_of(feature: Feature) -> str:
    source = f"windows.get({window_source(feature)})"
    return source if feature.by == "customer" else f"{source} if {KEYS[feature.by]} else None"
