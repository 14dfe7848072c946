"""Observe: merge facts into the record and keep features up to date.

In: one event. Out: the record changed; `Sight` of the event, with `p` the entity as it was before.
Invariant: a late event fills what is missing and counts in its windows, but never overwrites newer
facts.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from msgspec import UNSET

from belfry.engine.contacts import keep_former, preferred
from belfry.engine.program.build import Program
from belfry.engine.program.plan import Plan
from belfry.engine.record import SEPARATOR, ConsentEntry, ContactPoint, Record
from belfry.engine.sight import Sight, of_event
from belfry.engine.timers import arm_key
from belfry.engine.turn import Turn
from belfry.engine.windows import undo


def observe(
    program: Program, record: Record, event: Any, plan: Plan, now: dt.datetime, *, is_late: bool
) -> Sight:
    """Take the event into the record; features that count the current event included."""
    before = _entity_before(record, event) if plan.needs_previous else None
    merge = MERGES.get(plan.kind)
    if merge is not None:
        merge(program, record, event, now, is_late=is_late)
    sight = of_event(record, event, now)
    sight.p = before
    if plan.update_included is not None and not is_reversal(event, plan):
        plan.update_included(sight)
    return sight


def is_reversal(event: Any, plan: Plan) -> bool:
    """Does it undo another transaction? Then it counts in no feature."""
    return plan.kind == "transaction" and event.reverses is not None


def undo_features(turn: Turn, event_id: str) -> None:
    """A transaction was reversed: take it out of every feature that can be undone."""
    for name, window in turn.record.windows.items():
        feature = turn.program.book.features.get(name.partition(SEPARATOR)[0])
        if feature is not None:
            undo(feature, window, event_id)


def _entity_before(record: Record, event: Any) -> Any:
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


def _merge_fields(entity: Any, event: Any, *, is_late: bool) -> None:
    for name in entity.__struct_fields__:
        value = getattr(event, name, UNSET)
        if value is UNSET or (is_late and getattr(entity, name) is not None):
            continue
        setattr(entity, name, value)


def _customer(
    program: Program, record: Record, event: Any, now: dt.datetime, *, is_late: bool
) -> None:
    _merge_fields(record.customer, event, is_late=is_late)


def _entity(program: Program, record: Record, kind: str, key: str | None, now: dt.datetime) -> Any:
    if not key:
        return None
    entities = getattr(record, kind + "s")
    entity = entities.get(key)
    if entity is None:
        entity = entities[key] = program.book.event_types.entities[kind]()
        arm_key(Turn(program, record, now), kind, key)
    return entity


def _account(
    program: Program, record: Record, event: Any, now: dt.datetime, *, is_late: bool
) -> None:
    entity = _entity(program, record, "account", event.account_id, now)
    if entity is None:
        return
    _merge_fields(entity, event, is_late=is_late)
    leads, me = record.leads, record.customer_id
    if event.holders is not UNSET and event.holders is not None:
        first = next((h.customer_id for h in event.holders if h.role == "owner"), None)
        is_first = first == me
    else:
        is_first = event.account_id in leads or event.customer_id == me
    if is_first and event.account_id not in leads:
        leads.append(event.account_id)
    elif not is_first and event.account_id in leads:
        leads.remove(event.account_id)


def _card(program: Program, record: Record, event: Any, now: dt.datetime, *, is_late: bool) -> None:
    entity = _entity(program, record, "card", event.card_id, now)
    if entity is not None:
        _merge_owned(entity, event, is_late=is_late)


def _loan(program: Program, record: Record, event: Any, now: dt.datetime, *, is_late: bool) -> None:
    entity = _entity(program, record, "loan", event.loan_id, now)
    if entity is not None:
        _merge_owned(entity, event, is_late=is_late)


def _merge_owned(entity: Any, event: Any, *, is_late: bool) -> None:
    kept = entity.account_id
    _merge_fields(entity, event, is_late=is_late)
    if entity.account_id is None:  # the header's account_id is optional, not a removal
        entity.account_id = kept


def _transaction(
    program: Program, record: Record, event: Any, now: dt.datetime, *, is_late: bool
) -> None:
    if not event.account_id:
        return
    entity = record.accounts.get(event.account_id)
    if entity is None:
        entity = _entity(program, record, "account", event.account_id, now)
        if event.customer_id == record.customer_id:
            record.leads.append(event.account_id)
    if event.balance is not None and not (is_late and entity.balance is not None):
        entity.balance = event.balance


def _contact(
    program: Program, record: Record, event: Any, now: dt.datetime, *, is_late: bool
) -> None:
    before = preferred(record, event.kind)
    _merge_contact(record.contacts, event)
    keep_former(record, event.kind, before)


def _merge_contact(contacts: list[ContactPoint], event: Any) -> None:
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


def _consent(
    program: Program, record: Record, event: Any, now: dt.datetime, *, is_late: bool
) -> None:
    subject = (event.purpose, event.channel, event.contact)
    entries = record.consents
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


def _preference(
    program: Program, record: Record, event: Any, now: dt.datetime, *, is_late: bool
) -> None:
    _merge_fields(record.preferences, event, is_late=is_late)
    for name in ("low_balance_limit", "language"):
        value = getattr(event, name)
        if value is not UNSET:
            setattr(record.customer, name, value)


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
