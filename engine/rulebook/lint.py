"""Lints: what a rulebook means, beyond what it says. Each is a function in `LINTS`.

In: a `Book`: the rulebook as far as it could be read, and its nodes. Out: faults, mostly warnings.
An error is only what could never work as written. Lints of `WHOLE` need all rules: they wait until
no other error is left, so that one broken rule does not make its macros look unused.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from belfry.engine.faults import Fault, Place, Severity
from belfry.engine.rulebook.actions import default_template
from belfry.engine.rulebook.book import Book, Lint, warn
from belfry.engine.rulebook.currencies import mixed_currencies
from belfry.engine.rulebook.flapping import is_implied, overlaps
from belfry.engine.rulebook.model import Rule, Template, Timer
from belfry.engine.rulebook.spans import always_quiet, forgotten, twice_a_day
from belfry.engine.rulebook.subsumption import subsumed
from belfry.engine.rulebook.suggest import did_you_mean, listed
from belfry.engine.rulebook.template_names import STANDARD_NAMES
from belfry.engine.rulebook.templates import path_of
from belfry.engine.rulebook.yaml_nodes import MapNode, Node, TextNode, fault_at

DAY = dt.timedelta(days=1)
EXACT_ITEMS_MAX = 1000  # more kept items per key than this are worth a word
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def lint(book: Book, *, is_whole: bool) -> list[Fault]:
    """All findings. `is_whole`: everything could be read."""
    lints = (*LINTS, *(WHOLE if is_whole else ()))
    return [fault for one in lints for fault in one(book)]


# --- one rule at a time ---------------------------------------------------------------------------
def untold(book: Book) -> Iterator[Fault]:
    """What a reader of the rule will miss."""
    for rule in book.rules:
        at = book.at(rule)
        if not rule.title:
            yield warn(at, "B504", f"rule '{rule.id}' has no title", "title: one line for people")
        if not rule.owner:
            hint = "owner: the team that answers for it"
            yield warn(at, "B505", f"rule '{rule.id}' has no owner", hint)
        if not rule.tests:
            hint = "tests: a history and what the rule does with it"
            yield warn(at, "B506", f"rule '{rule.id}' has no tests", hint)


def misnamed(book: Book) -> Iterator[Fault]:
    """The file should be named after its rule."""
    several = {node.source.path for node in book.parts.rules if node.key("rule") is None}
    counted: dict[str, int] = {}
    for rule in book.rules:
        counted[rule.place.file] = counted.get(rule.place.file, 0) + 1
    for rule in book.rules:
        path = rule.place.file
        if counted[path] == 1 and path not in several and _stem(path) != rule.id:
            message = f"rule '{rule.id}' is in the file {path.rpartition('/')[2]}"
            yield warn(book.at(rule), "B507", message, f"name the file {rule.id}.yaml")


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]


def flapping(book: Book) -> Iterator[Fault]:
    """`until` that already holds when `when` does: fires and re-arms with each event."""
    for rule in book.rules:
        if rule.when is None or rule.until is None:
            continue
        if is_implied(rule.when, rule.until):
            message = "'until' holds while 'when' holds: the alert would fire again and again"
            hint = "'until' describes the recovery, e.g. balance >= limit * 1.2"
            yield fault_at(book.at(rule, "until"), "B508", message, hint=hint)
        elif overlaps(rule.when, rule.until):
            message = (
                "some values pass both 'when' and 'until': there the alert fires again and again"
            )
            hint = "leave a gap between the two"
            yield warn(book.at(rule, "until"), "B508", message, hint)


def unused_tiers(book: Book) -> Iterator[Fault]:
    """Tiers in a rule whose conditions do not read `tier`."""
    for rule in book.rules:
        when = rule.when
        if rule.tiers and when is not None and when.kind == "boolean" and "tier" not in when.reads:
            hint = "compare with `tier`, or let `when` be a number"
            message = "'when' reads no 'tier': all tiers are reached at once"
            yield warn(book.at(rule, "tiers"), "B516", message, hint)


def timeless(book: Book) -> Iterator[Fault]:
    """A timer without time of day fires at midnight."""
    for rule in book.rules:
        timer = rule.timer
        if timer is not None and timer.at is None and not _is_of_hours(timer):
            message = "no time of day: it is looked at midnight"
            yield warn(book.at(rule, "timer"), "B512", message, 'at: "09:00"')


def _is_of_hours(timer: Timer) -> bool:
    """Two hours after a moment is no midnight."""
    return timer.kind == "after" and (timer.clock == "business" or timer.delay < DAY)


def swallowed(book: Book) -> Iterator[Fault]:
    """Repeats inside the cooldown never go out."""
    for rule in book.rules:
        if rule.repeat and rule.cooldown and rule.cooldown > rule.repeat:
            message = "the cooldown is longer than the repeat: repeats are swallowed"
            hint = "a rule with `repeat` needs no `cooldown`"
            yield warn(book.at(rule, "cooldown"), "B518", message, hint)


def held_out(book: Book) -> Iterator[Fault]:
    """A holdout that the class forbids, or without a message; a share without its sign."""
    for rule in book.rules:
        if rule.goal is not None and rule.notify is None:
            yield warn(book.at(rule, "goal"), "B520", "a goal is counted after a message")
        if rule.holdout is None:
            continue
        at = book.at(rule, "holdout")
        if rule.notify is None:
            yield warn(at, "B520", "without a message nobody is held out")
            continue
        of_class = book.rulebook.policies.classes.get(rule.notify.message_class)
        if of_class is not None and of_class.holdout == "never":
            yield warn(at, "B514", f"class '{of_class.name}' is never held out: this is ignored")
        if isinstance(at, TextNode) and 0 < rule.holdout < 1 and "%" not in at.value:
            percent = f"{(rule.holdout * 100).normalize():f}%"
            yield warn(at, "B517", f"this is {at.value} %, not {percent}", f"holdout: {percent}")


def too_late(book: Book) -> Iterator[Fault]:
    """A message that expires before arbitration, or before its ladder's second rung."""
    for rule in book.rules:
        notify = rule.notify
        if notify is None or notify.expires is None:
            continue
        of_class = book.rulebook.policies.classes.get(notify.message_class)
        at = book.at(rule, "notify", "expires")
        if of_class is not None and of_class.arbitration >= notify.expires:
            message = f"it expires while class '{of_class.name}' still waits for others"
            yield fault_at(at, "B513", message, hint="a longer `expires`")
        elif notify.within is not None and notify.within >= notify.expires:
            message = "it expires before the second channel is tried"
            yield warn(at, "B513", message, "a longer `expires` or a shorter `within`")


def endless(book: Book) -> Iterator[Fault]:
    """A ladder that waits for an act which nothing would tell."""
    for rule in book.rules:
        is_act = rule.notify is not None and rule.notify.until == "acted"
        if is_act and rule.goal is None and rule.trigger not in {"change", "timer", "campaign"}:
            message = "without a goal nobody knows whether the customer acted: it always climbs"
            hint = "goal: {event: reply, within: 1h}"
            yield warn(book.at(rule, "notify", "until"), "B531", message, hint)


def costly(book: Book) -> Iterator[Fault]:
    """Exact windows keep every item of every key."""
    for feature in book.rulebook.features.values():
        is_long = feature.window is None or feature.window > DAY
        if feature.exact and is_long and feature.items > EXACT_ITEMS_MAX:
            about = feature.items * 40 // 1024
            message = f"up to {feature.items:,} items, about {about:,} KiB for each {feature.by}"
            pairs = book.parts.of("features")
            at = next(name for name, _ in pairs if name.value == feature.name)
            yield warn(at, "B515", message, "day buckets (`exact: false`) need about 2 KiB")


# --- the whole book -------------------------------------------------------------------------------
def unused(book: Book) -> Iterator[Fault]:
    """Macros, lists, features and series that nothing reads."""
    words = _words_of_rules(book)
    for name, node in book.macros.items():
        others = {n.value for other, n in book.macros.items() if other != name}
        if name not in words and not any(name in _WORD.findall(text) for text in others):
            yield warn(node, "B501", f"macro '{name}' is never used", "remove it")
    for section, code, what in (
        ("lists", "B502", "list"), ("features", "B503", "feature"), ("series", "B529", "series"),
    ):  # fmt: skip
        for key, _ in book.parts.of(section):
            if key.value not in words:
                yield warn(key, code, f"{what} '{key.value}' is never used", "remove it")


def _words_of_rules(book: Book) -> set[str]:
    """All words in texts of rules, features, segments, macros and templates."""
    texts: list[str] = [one.text for one in book.rulebook.templates.values()]
    pending: list[Node] = [*book.parts.rules]
    for section in ("features", "segments", "series", "macros"):
        pending.extend(node for _, node in book.parts.of(section))
    while pending:
        node = pending.pop()
        if isinstance(node, TextNode):
            texts.append(node.value)
        elif isinstance(node, MapNode):
            pending.extend(value for key, value in node.items if key.value != "tests")
        else:
            pending.extend(node.items)
    return {word for text in set(texts) for word in _WORD.findall(text)}


def unread(book: Book) -> Iterator[Fault]:
    """Segments that nothing reads or waits for, templates that no rule names."""
    rules = list(book.rules)
    words = _words_of_rules(book)
    waits = any("segment" in rule.events for rule in rules)
    for key, _ in book.parts.of("segments"):
        if key.value not in words and not waits:
            yield warn(key, "B525", f"segment '{key.value}' is never used", "remove it")
    named = {rule.notify.template for rule in rules if rule.notify is not None}
    there = {name for name, _, _ in book.rulebook.templates}
    if named - there:
        return  # a wrong name is told where it stands (B510)
    for name in sorted(there - named):
        one = next(t for t in book.parts.templates if t.name == name)
        place, message = Place(path_of(one), 1, 1), f"no rule uses the template '{name}'"
        shown = one.text.split("\n", 1)[0]
        yield Fault("B528", place, message, None, "remove it", shown, 1, Severity.WARNING)


def duplicates(book: Book) -> Iterator[Fault]:
    """Two rules with the same trigger, condition and message."""
    seen: dict[tuple[object, ...], Rule] = {}
    for rule in book.rules:
        if rule.notify is None:
            continue
        timer = rule.timer and (
            rule.timer.kind,
            rule.timer.moment,
            rule.timer.before,
            rule.timer.at,
        )
        same: tuple[object, ...] = (
            rule.by, rule.events, timer, rule.sequence, rule.absent, rule.campaign, rule.when,
            rule.except_, rule.tiers, rule.rollout, rule.active_from, rule.active_to,
            rule.timer and (rule.timer.day, rule.timer.weekday, rule.timer.after),
            rule.notify.message_class, rule.notify.template, rule.notify.channels,
        )  # fmt: skip
        first = seen.setdefault(same, rule)
        if first is not rule:
            message = f"rule '{rule.id}' tells the same people the same as '{first.id}'"
            yield warn(book.at(rule), "B509", message, "remove one of the two")


def untemplated(book: Book) -> Iterator[Fault]:
    """Each language of the bank, each channel of the rule."""
    bank, templates = book.rulebook.policies.bank, book.rulebook.templates
    names = {name for name, _, _ in templates}
    for rule in book.rules:
        notify = rule.notify
        if notify is None:
            continue
        at = book.at(rule, "notify", "template")
        if notify.template == default_template(rule.id) and at is book.at(rule, "notify"):
            hint = f"template: {notify.template}"
            yield warn(at, "B521", "no template is named; it is the one of the rule's id", hint)
        if notify.template not in names:
            near = did_you_mean(notify.template, names)
            message = f"there is no template '{notify.template}'"
            yield warn(
                at,
                "B510",
                message,
                near or f"write templates/{notify.template}/<language>.<channel>.txt",
            )
            continue
        languages = bank.languages or (bank.language,)
        missing = [
            f"{language}.{channel}.txt"
            for channel in notify.channels
            for language in languages
            if (notify.template, language, channel) not in templates
        ]
        if missing:
            message = f"template '{notify.template}' lacks {listed(missing)}"
            yield warn(at, "B510", message, "the language that is there is used instead")


def unprovided(book: Book) -> Iterator[Fault]:
    """Variables of templates that neither the engine nor the rule's `with` provides."""
    used_by: dict[str, list[Rule]] = {}
    for rule in book.rules:
        if rule.notify is not None:
            used_by.setdefault(rule.notify.template, []).append(rule)
    for (name, _, _), template in sorted(book.rulebook.templates.items()):
        told: set[str] = set()  # each name once, with the first rule that lacks it
        for rule in used_by.get(name, []):
            given = {*STANDARD_NAMES, *(rule.notify.with_ if rule.notify else ())}
            for unknown in sorted(template.names - given - told):
                told.add(unknown)
                hint = did_you_mean(unknown, given) or f"notify: {{with: {{{unknown}: …}}}}"
                message = f"nothing provides '{unknown}' when rule '{rule.id}' uses this template"
                yield _in_template(template, unknown, message, hint)


def _in_template(template: Template, word: str, message: str, hint: str) -> Fault:
    line = template.text[: max(0, template.text.find(word))].count("\n")
    shown = template.text.split("\n")[line]
    place = Place(path_of(template), line + 1, shown.find(word) + 1)
    return Fault("B511", place, message, None, hint, shown, len(word), Severity.WARNING)


def waiting_for_nothing(book: Book) -> Iterator[Fault]:
    """A rule that waits for changes of segments or steps of series where there are none."""
    for rule in book.rules:
        if "series" in rule.events and not book.rulebook.series:
            message = "it waits for a step of a series, and no series are defined"
            yield warn(book.at(rule, "event"), "B530", message, "series/*.yaml")
        if "segment" in rule.events and not book.rulebook.segments:
            message = "it waits for a change of segment, and no segments are defined"
            yield warn(book.at(rule, "event"), "B519", message, "segments/*.yaml")


LINTS: tuple[Lint, ...] = (
    untold, misnamed, flapping, unused_tiers, timeless, swallowed, held_out, too_late, endless,
    costly, mixed_currencies, forgotten, always_quiet, twice_a_day,
)  # fmt: skip
WHOLE: tuple[Lint, ...] = (
    unused, unread, duplicates, subsumed, untemplated, unprovided, waiting_for_nothing,
)  # fmt: skip
