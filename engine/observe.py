"""Observe: merge facts into the record and keep features up to date.

In: one event. Out: the record changed; `Sight` of the event, with `p` the entity as it was before.
Invariant: a late event fills what is missing and counts in its windows, but never overwrites newer facts.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from belfry.engine.program.build import FeatureCode, ForType
from belfry.engine.record import ConsentEntry, ContactPoint, TimerEntry, Window, joined
from belfry.engine.sight import Sight, key_of, of_event
from belfry.engine.timers import arm_key
from belfry.engine.turn import Turn, set_timer
from belfry.engine.windows import add, next_change_at, undo


def observe(turn: Turn, event: Any, plan: ForType, *, is_late: bool) -> Sight:
    """Take the event into the record; features that count the current event included."""
    merge = MERGES.get(event.__struct_config__.tag)
    before = None
    if plan.needs_previous:
        before = _entity_before(turn, event)
    if merge is not None:
        merge(turn, event, is_late)
    sight = of_event(turn.record, event, turn.now)
    sight.p = before
    if plan.included and getattr(event, "reverses", None) is None:
        update_features(turn, sight, plan.included)
    return sight


def update_features(turn: Turn, sight: Sight, codes: list[FeatureCode]) -> None:
    """Add the event to each feature whose `where` it meets."""
    features = turn.record.features
    event = sight.e
    for code in codes:
        if code.where is not None and not code.where(sight):
            continue
        value = None
        if code.value is not None:
            value = code.value(sight)
            if value is None:
                continue
        feature = code.feature
        by = feature.by
        key = "" if by == "customer" else key_of(sight, by)
        if not key and by != "customer":
            continue
        windows = features.get(feature.name)
        if windows is None:
            windows = features[feature.name] = {}
        window = windows.get(key)
        if window is None:
            window = windows[key] = Window()
        add(feature, window, event.time, value, event.id)
        if code.wakes:
            arm_wake(turn, code, key, window)


def arm_wake(turn: Turn, code: FeatureCode, key: str, window: Window) -> None:
    """See to it that the rules which read the feature are asked when it empties by time."""
    name = joined("wake", code.feature.name, key)
    if name not in turn.record.timers:
        due = next_change_at(code.feature, window)
        if due is not None:
            set_timer(turn.record, name, TimerEntry(due))


def undo_features(turn: Turn, event_id: str) -> None:
    """A transaction was reversed: take it out of every feature that can be undone."""
    for name, windows in turn.record.features.items():
        feature = turn.program.book.features.get(name)
        if feature is not None:
            for window in windows.values():
                undo(feature, window, event_id)


def _entity_before(turn: Turn, event: Any) -> Any:
    record = turn.record
    match event.__struct_config__.tag:
        case "customer" | "preference":
            found = record.customer
        case "card":
            found = record.cards.get(event.card_id or "")
        case "loan":
            found = record.loans.get(event.loan_id or "")
        case _:
            found = record.accounts.get(event.account_id or "")
    return None if found is None else found.__copy__()


def _merge_fields(entity: Any, event: Any, is_late: bool) -> None:
    for name in entity.__struct_fields__:
        value = getattr(event, name, UNSET)
        if value is UNSET or (is_late and getattr(entity, name) is not None):
            continue
        setattr(entity, name, value)


def _customer(turn: Turn, event: Any, is_late: bool) -> None:
    _merge_fields(turn.record.customer, event, is_late)


def _entity(turn: Turn, kind: str, key: str | None) -> Any:
    if not key:
        return None
    entities = getattr(turn.record, kind + "s")
    entity = entities.get(key)
    if entity is None:
        entity = entities[key] = turn.program.book.event_types.entities[kind]()
        arm_key(turn, kind, key)
    return entity


def _account(turn: Turn, event: Any, is_late: bool) -> None:
    entity = _entity(turn, "account", event.account_id)
    if entity is None:
        return
    _merge_fields(entity, event, is_late)
    leads, me = turn.record.leads, turn.record.customer_id
    if event.holders is not UNSET and event.holders is not None:
        first = next((h.customer_id for h in event.holders if h.role == "owner"), None)
        is_first = first == me
    else:
        is_first = event.account_id in leads or event.customer_id == me
    if is_first and event.account_id not in leads:
        leads.append(event.account_id)
    elif not is_first and event.account_id in leads:
        leads.remove(event.account_id)


def _card(turn: Turn, event: Any, is_late: bool) -> None:
    entity = _entity(turn, "card", event.card_id)
    if entity is not None:
        _merge_owned(entity, event, is_late)


def _loan(turn: Turn, event: Any, is_late: bool) -> None:
    entity = _entity(turn, "loan", event.loan_id)
    if entity is not None:
        _merge_owned(entity, event, is_late)


def _merge_owned(entity: Any, event: Any, is_late: bool) -> None:
    kept = entity.account_id
    _merge_fields(entity, event, is_late)
    if entity.account_id is None:  # the header's account_id is optional, not a removal
        entity.account_id = kept


def _transaction(turn: Turn, event: Any, is_late: bool) -> None:
    if not event.account_id:
        return
    entity = turn.record.accounts.get(event.account_id)
    if entity is None:
        entity = _entity(turn, "account", event.account_id)
        if event.customer_id == turn.record.customer_id:
            turn.record.leads.append(event.account_id)
    if event.balance is not None and not (is_late and entity.balance is not None):
        entity.balance = event.balance


def _contact(turn: Turn, event: Any, is_late: bool) -> None:
    contacts = turn.record.contacts
    if event.address is None or event.active is False:
        contacts[:] = [
            c for c in contacts
            if c.kind != event.kind or (event.address is not None and c.address != event.address)
        ]  # fmt: skip
        return
    found = next((c for c in contacts if (c.kind, c.address) == (event.kind, event.address)), None)
    if found is None:
        found = ContactPoint(event.kind, event.address)
        contacts.append(found)
    for name in ("verified", "primary", "suppressed"):
        value = getattr(event, name)
        if value is not UNSET:
            setattr(found, name, bool(value) if name != "verified" else value)
    if event.primary is True:
        for other in contacts:
            if other.kind == event.kind and other is not found:
                other.primary = False


def _consent(turn: Turn, event: Any, is_late: bool) -> None:
    subject = (event.purpose, event.channel, event.contact)
    entries = turn.record.consents
    for place, entry in enumerate(entries):
        if (entry.purpose, entry.channel, entry.contact) == subject:
            if entry.at > event.time:
                return
            del entries[place]
            break
    entries.append(
        ConsentEntry(
            event.purpose, event.given, event.time, event.channel, event.contact, event.valid_until
        )
    )


def _preference(turn: Turn, event: Any, is_late: bool) -> None:
    _merge_fields(turn.record.preferences, event, is_late)
    for name in ("low_balance_limit", "language"):
        value = getattr(event, name)
        if value is not UNSET:
            setattr(turn.record.customer, name, value)


MERGES = {
    "customer": _customer,
    "account": _account,
    "card": _card,
    "loan": _loan,
    "contact": _contact,
    "consent": _consent,
    "preference": _preference,
    "transaction": _transaction,
}
