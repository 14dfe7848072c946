"""Timers of rules: the forms of design section 5, read into one `Timer`.

In: the values under `timer:`. Out: `Timer`, or None and faults. `FORMS`: which keys go together.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

from belfry.engine.expressions import Expression, Scope
from belfry.engine.fields import Kind
from belfry.engine.rulebook.keys import Values
from belfry.engine.rulebook.model import Timer
from belfry.engine.rulebook.reading import Reading
from belfry.engine.rulebook.rule_keys import WEEKDAYS
from belfry.engine.rulebook.suggest import listed
from belfry.engine.rulebook.yaml_nodes import TextNode, fault_at, place_of

# The key that names the form → the keys that go with it. `after` is a form only without `date`.
FORMS: dict[str, tuple[str, ...]] = {
    "date": ("before", "after", "roll", "at", "grace"),
    "yearly": ("leap", "roll", "at", "grace"),
    "monthly": ("roll", "at", "grace"),
    "weekly": ("roll", "at", "grace"),
    "daily": ("roll", "at", "grace"),
    "after": ("delay", "clock", "at", "grace"),
}
LAST_DAY = 31  # a month without that day is taken at its last one


def read_timer(values: Values, scope: Scope, reading: Reading) -> Timer | None:
    """One timer; its moment is checked to be a date or an instant."""
    form = _form(values, reading)
    if form is None:
        return None
    for key in values.nodes:
        if key != form and key not in FORMS[form]:
            message = f"'{key}' does not go with a timer by '{form}'"
            expected = listed(FORMS[form])
            at = values.name_at(key)
            reading.faults.append(fault_at(at, "B212", message, expected=expected))
    before, after = values.get("before", ()), values.get("after", ())
    moment = _moment(form, values, scope, reading)
    if form in ("date", "yearly", "after") and moment is None:
        return None
    if isinstance(after, TextNode):
        if form == "date":
            message = f"'{after.value[:60]}' is not a duration"
            reading.faults.append(fault_at(after, "B204", message, hint="after: 3d"))
        after = ()
    if form == "after" and "delay" not in values:
        message = "a timer after a moment needs the key 'delay'"
        reading.faults.append(fault_at(values.node, "B202", message, hint="delay: 90d"))
    return Timer(
        kind=cast("Any", form),
        moment=moment,
        before=before,
        after=after,
        delay=values.get("delay", dt.timedelta(0)),
        at=_time_of_day(values),
        day=_day(values.get("monthly")),
        weekday=WEEKDAYS.index(values.get("weekly", "mon")) % 7,
        roll=values.get("roll"),
        leap=values.get("leap", "feb28"),
        grace=values.get("grace", dt.timedelta(hours=24)),
        clock=values.get("clock", "always"),
    )


def _form(values: Values, reading: Reading) -> str | None:
    forms = [form for form in FORMS if form in values]
    if "date" in forms and "after" in forms:
        forms.remove("after")  # with `date` it is an offset
    if len(forms) == 1:
        return forms[0] if values.get(forms[0]) is not None else None
    if not forms:
        message = "a timer says when: date, yearly, monthly, weekly, daily or after"
        hint = 'timer: {daily: "09:00"}'
        reading.faults.append(fault_at(values.node, "B202", message, hint=hint))
    else:
        message = f"a timer is one of {', '.join(forms)}, not all of them"
        at = sorted((values.name_at(form) for form in forms), key=place_of)[1]
        reading.faults.append(fault_at(at, "B212", message, hint="make a rule for each"))
    return None


def _moment(form: str, values: Values, scope: Scope, reading: Reading) -> Expression | None:
    if form not in ("date", "yearly", "after"):
        return None
    node = values.get(form)
    if not isinstance(node, TextNode):
        shown = values.at(form)
        message = "'after' names the moment that 'delay' counts from"
        hint = "after: features.last_activity"
        reading.faults.append(fault_at(shown, "B203", message, hint=hint))
        return None
    found = reading.expression(node, scope)
    if found is not None and found.kind not in (Kind.DATE, Kind.INSTANT):
        message = f"a timer counts from a date or an instant, this is a {found.kind}"
        reading.faults.append(fault_at(node, "B306", message, expected="a date or an instant"))
        return None
    return found


def _time_of_day(values: Values) -> dt.time | None:
    daily = values.get("daily")
    return daily if isinstance(daily, dt.time) else values.get("at")


def _day(monthly: int | str | None) -> int:
    if monthly is None:
        return 1
    return LAST_DAY if isinstance(monthly, str) else monthly
