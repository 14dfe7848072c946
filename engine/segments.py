"""Segments: the first value that holds; a new one must hold for its stay before it counts.

In: names of segments whose inputs may have changed. Out: the record's segments; a `segment` event
for each change.
Invariant: unknown changes nothing. The first value ever counts at once and is no change.
"""

from __future__ import annotations

from belfry.engine.agenda import drop_timer, set_timer
from belfry.engine.decisions import derived_id
from belfry.engine.events import Segment
from belfry.engine.record import SegmentState, TimerEntry, joined
from belfry.engine.sight import of_key
from belfry.engine.turn import Turn


def settle_segments(turn: Turn, names: list[str]) -> None:
    """Evaluate these segments again."""
    for name in names:
        if turn.record.warming and _is_warming(turn, name):
            continue
        found = _value(turn, name)
        if found is not None:
            _settle(turn, name, found)


def restate_segment(turn: Turn, name: str) -> None:
    """The value that holds counts at once and is no change: the definition moved, not they."""
    found = _value(turn, name)
    if found is not None:
        turn.record.segments[name] = SegmentState(found)
        drop_timer(turn.record, joined("segment", name))


def _is_warming(turn: Turn, name: str) -> bool:
    """Until what it reads has filled, it keeps its value; the first one after that is no change."""
    key = joined("segment", name)
    until = turn.record.warming.get(key)
    if until is None or turn.now < until:
        return until is not None
    del turn.record.warming[key]
    restate_segment(turn, name)
    return False


def _value(turn: Turn, name: str) -> str | None:
    sight = of_key(turn.record, "customer", turn.record.customer_id, turn.now)
    try:
        for value, is_true, is_false in turn.program.segments[name]:
            if is_true(sight):
                return value
            if not is_false(sight):
                return None
    except ArithmeticError:
        turn.errors.append(f"segment {name}")
    return None


def _settle(turn: Turn, name: str, found: str) -> None:
    record = turn.record
    state = record.segments.get(name)
    if state is None:
        record.segments[name] = SegmentState(found)
        return
    timer = joined("segment", name)
    if found == state.value:
        if state.coming is not None:
            state.coming = state.since = None
            drop_timer(record, timer)
        return
    stay = turn.program.book.segments[name].stay
    if state.coming != found or state.since is None:
        state.coming, state.since = found, turn.now
    if turn.now - state.since < stay:
        set_timer(record, timer, TimerEntry(state.since + stay))
        return
    before, state.value = state.value, found
    state.coming = state.since = None
    drop_timer(record, timer)
    instant = turn.now.isoformat()
    turn.derived.append(
        Segment(
            id=derived_id("segment", record.customer_id, name, found, instant),
            time=turn.now,
            customer_id=record.customer_id,
            name=name,
            before=before,
            after=found,
        )
    )
