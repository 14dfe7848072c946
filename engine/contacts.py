"""Consent and contact points: may we, and can we, use this channel?

In: the record, a channel. Out: None or a contact point, else the reason.
The last fitting consent record decides. `opt_in` without a record is no; `opt_out` without one is
yes.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec
import phonenumbers

from belfry.engine.reasons import Reason
from belfry.engine.record import ConsentEntry, ContactPoint, Record
from belfry.engine.rulebook.model import MessageClass
from belfry.engine.turn import Turn

Type = phonenumbers.PhoneNumberType
# Numbers that cost whoever calls them: somebody registers one and lets the bank pay (toll fraud).
PREMIUM = frozenset((Type.PREMIUM_RATE, Type.SHARED_COST, Type.UAN))
# Kind of contact → types of number that are never used. A landline cannot show a text message.
NEVER_CALLED: dict[str, frozenset[int]] = {
    "mobile": PREMIUM | {Type.FIXED_LINE, Type.PAGER},
    "landline": PREMIUM | {Type.PAGER},
    "email": frozenset(),
    "device": frozenset(),
}


def consent_reason(
    turn: Turn, message_class: MessageClass, channel: str, *, former: bool = False
) -> Reason | None:
    """None: there is consent for this class on this channel."""
    chosen = turn.record.preferences.channels
    if chosen is not None and channel not in chosen:
        return Reason.OPTED_OUT
    kind = turn.program.book.policies.channels[channel].contact
    point = _wanted(turn.record, kind, former=former)
    address = None if point is None else point.address
    last: ConsentEntry | None = None
    for entry in turn.record.consents:
        fits = (
            entry.purpose == message_class.purpose
            and entry.channel in (None, channel)
            and (entry.contact is None or entry.contact == address)
            and (entry.valid_until is None or turn.now < entry.valid_until)
        )
        if fits and (last is None or entry.at >= last.at):
            last = entry
    if last is None:
        return Reason.NO_CONSENT if message_class.consent == "opt_in" else None
    return None if last.given else Reason.OPTED_OUT


def reach(turn: Turn, channel: str, *, former: bool = False) -> ContactPoint | Reason:
    """The contact point that the channel would use, or why there is none."""
    policy = turn.program.book.policies.channels[channel]
    point = _wanted(turn.record, policy.contact, former=former)
    if point is None:
        return Reason.NO_CONTACT
    if point.suppressed:
        return Reason.SUPPRESSED_CONTACT
    if policy.verified and point.verified is not True:
        return Reason.UNVERIFIED_CONTACT
    if phone_type(point.address) in NEVER_CALLED[policy.contact]:
        return Reason.NUMBER_NOT_ALLOWED
    if policy.countries and phone_country(point.address) not in policy.countries:
        return Reason.COUNTRY_NOT_ALLOWED
    return point


def _wanted(record: Record, kind: str, *, former: bool) -> ContactPoint | None:
    return record.former.get(kind) if former else preferred(record, kind)


def preferred(record: Record, kind: str) -> ContactPoint | None:
    """Usable ones first, then the primary one, then the oldest."""
    points = [point for point in record.contacts if point.kind == kind]
    if len(points) == 1:
        return points[0]
    return min(
        points,
        key=lambda point: (point.suppressed, point.verified is not True, not point.primary),
        default=None,
    )


def keep_former(record: Record, kind: str, before: ContactPoint | None) -> None:
    """After a change: what was in use and no longer is, is remembered, one of each kind."""
    now = preferred(record, kind)
    if before is not None and (now is None or now.address != before.address):
        record.former[kind] = msgspec.structs.replace(before, primary=False)


@lru_cache(maxsize=65536)
def phone_country(address: str) -> str | None:
    """ISO 3166-1 country of an E.164 number; None if it is not one."""
    number = _parsed(address)
    return None if number is None else phonenumbers.region_code_for_number(number)


@lru_cache(maxsize=65536)
def phone_type(address: str) -> int:
    """A `phonenumbers.PhoneNumberType`; UNKNOWN for what is no number in use."""
    number = _parsed(address)
    return Type.UNKNOWN if number is None else phonenumbers.number_type(number)


def _parsed(address: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(address)
    except phonenumbers.NumberParseException:
        return None
