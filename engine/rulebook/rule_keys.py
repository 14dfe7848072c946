"""Every key of a rule, as a table: shape, meaning, default, unit.

In: nothing. Out: the sections `RULE`, `NOTIFY`, `TIMER` … Contract: design section 5.
"""

from __future__ import annotations

from belfry.engine.rulebook.keys import Key, Section, nested, nested_list
from belfry.engine.rulebook.shapes import (
    ANYTHING,
    BOOLEAN,
    DURATION,
    EXPRESSION,
    EXPRESSIONS,
    IDENTIFIER,
    IDENTITY,
    INSTANT,
    LOCAL_TIME,
    MOMENT,
    NUMBER,
    PERCENT,
    TEXT,
    either,
    items,
    whole,
    word,
)

BY = word("customer", "account", "card", "loan")
PRIORITY = whole(0, 1000)
WEEKDAYS = (
    "mon", "tue", "wed", "thu", "fri", "sat", "sun",
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
SINCE_WORDS = ("month_start", "week_start", "day_start", "year_start")

TIMER = Section("timer", "When a timer rule is looked at, in the customer's local time.", (
    Key("date", EXPRESSION, "a date or instant to count from, e.g. card.expires_on"),
    Key("before", items(DURATION), "how long before the date", unit="calendar days"),
    Key("after", either(items(DURATION), EXPRESSION),
        "with `date`: how long after it; alone: the moment that `delay` counts from"),
    Key("yearly", EXPRESSION, "a date that comes round every year"),
    Key("leap", word("feb28", "mar1"), "when Feb 29 is kept in other years", "feb28"),
    Key("monthly", either(whole(1, 31), word("last")),
        "day of the month; in shorter months the last day"),
    Key("weekly", word(*WEEKDAYS), "day of the week"),
    Key("daily", either(LOCAL_TIME, word("true")), "every day at this time"),
    Key("delay", DURATION, "with `after`: how long after the moment"),
    Key("clock", word("always", "business"),
        "with `delay`: what counts; business: only the bank's business hours", "always"),
    Key("roll", word("next_business_day", "previous_business_day"),
        "where a day that is no business day moves to"),
    Key("at", LOCAL_TIME, "time of day", "00:00", "local time"),
    Key("grace", DURATION, "how late it may still fire after a downtime", "24h"),
))  # fmt: skip

_STEP_KEYS = (
    Key("event", items(IDENTIFIER), "event type, or a list of types", required=True),
    Key("when", EXPRESSION, "which of these events; default: each"),
)
STEP = Section("step", "One step of a sequence.", _STEP_KEYS)
ABSENT = Section("absent", "Nothing like this has happened; needs a timer.", (
    *_STEP_KEYS,
    Key("since", either(DURATION, word(*SINCE_WORDS)), "how far back to look", required=True),
))  # fmt: skip
CAMPAIGN = Section("campaign", "Once for each customer for whom `when` holds in that time.", (
    Key("start", MOMENT, "first moment; without offset: in the customer's zone", required=True),
    Key("stop", MOMENT, "first moment after it", required=True),
))  # fmt: skip
ACTIVE = Section("active", "The rule speaks only between these moments.", (
    Key("from", MOMENT, "first moment; without offset: in the bank's zone"),
    Key("to", MOMENT, "first moment after it"),
))  # fmt: skip
ROLLOUT = Section("rollout", "Who is told already.", (
    Key("branches", items(TEXT), "only customers of these branches", "all"),
    Key("percent", PERCENT, "only this share of customers, always the same ones", "100", "percent"),
))  # fmt: skip
GOAL = Section("goal", "What counts as success of a message.", (
    *_STEP_KEYS,
    Key("within", DURATION, "how long after the message", required=True),
))  # fmt: skip
NOTIFY = Section("notify", "Tell the customer.", (
    Key("class", IDENTIFIER, "message class of policies/classes.yaml", required=True),
    Key("template", TEXT, "folder under templates/", "the rule's id with _ for -"),
    Key("channels", items(IDENTIFIER), "channels in order of preference",
        "all of policies/channels.yaml"),
    Key("priority", PRIORITY, "who wins arbitration within a class: higher first", "50"),
    Key("expires", DURATION, "from the occurrence; later it is of no use", "never"),
    Key("tags", items(IDENTIFIER), "tags that caps may count by"),
    Key("with", EXPRESSIONS, "named values for the template"),
    Key("to", word("current", "former"),
        "which contact point; former: the one that the present one came in place of", "current"),
    Key("until", word("delivered", "read", "acted"),
        "what ends the ladder of channels; acted: the goal is met, or `when` no longer holds"),
    Key("within", DURATION, "how long a channel has for that before the next one is tried"),
))  # fmt: skip
TASK = Section("task", "Put work into a staff queue.", (
    Key("role", IDENTIFIER, "who does it: a queue, or relationship_manager", required=True),
    Key("due", DURATION, "from the occurrence"),
    Key("priority", PRIORITY, "higher first", "50"),
    Key("title", TEXT, "what to do", "the rule's title"),
    Key("with", EXPRESSIONS, "named values shown with the task"),
))  # fmt: skip
EMIT = Section("emit", "Make an event for other rules.", (
    Key("event", IDENTIFIER, "event type, standard or declared in rules/events/", required=True),
    Key("with", EXPRESSIONS, "its fields"),
))  # fmt: skip
TEST = Section("test", "A test of this rule: a history and what the rule does with it.", (
    Key("name", TEXT, "what it shows, as a sentence", required=True),
    Key("given", ANYTHING, "facts that hold before the first event"),
    Key("events", ANYTHING, "the history: a list of events, each with `at` and `type`"),
    Key("expect", ANYTHING, "all decisions, in order: `at` and send, hold, task, emit, suppress",
        required=True),
    Key("until", INSTANT, "how long the clock runs on", "the last event"),
))  # fmt: skip

RULE = Section("rule", "One rule; the file is rules/<area>/<id>.yaml.", (
    Key("rule", IDENTITY, "the rule's id, unique in the rulebook", required=True),
    Key("title", TEXT, "one line for people"),
    Key("owner", TEXT, "the team that answers for it"),
    Key("why", TEXT, "the reason it exists"),
    Key("by", BY, "one alert life for each of these", "customer"),
    Key("event", items(IDENTIFIER), "trigger: at each such event"),
    Key("timer", nested(TIMER), "trigger: at local times"),
    Key("sequence", nested_list(STEP), "trigger: a chain of events in event-time order"),
    Key("campaign", nested(CAMPAIGN), "trigger: once for each customer in that time"),
    Key("within", DURATION, "with `sequence`: from its first to its last event"),
    Key("absent", nested(ABSENT), "with `timer`: only if nothing like this happened"),
    Key("when", EXPRESSION, "the condition", "always, if there is a trigger"),
    Key("until", EXPRESSION, "when a firing alert is over and armed again", "`when` is false"),
    Key("except", EXPRESSION, "a second condition that vetoes"),
    Key("for", DURATION, "how long the condition must hold before it fires", "0s"),
    Key("cooldown", DURATION, "from the last message of this rule and key", "0s"),
    Key("repeat", DURATION, "say it again while firing", "never"),
    Key("limit", whole(1, 1000), "with `repeat`: messages of one firing, the first included",
        "no limit"),
    Key("tiers", items(NUMBER), "levels; each fires once, read as `tier`"),
    Key("active", nested(ACTIVE), "the rule speaks only in this time", "always"),
    Key("rollout", nested(ROLLOUT), "who is told already", "everybody"),
    Key("holdout", PERCENT, "share of customers never told, to measure against", "0%", "percent"),
    Key("goal", nested(GOAL), "what counts as success of a message"),
    Key("supersedes", items(IDENTITY), "rules whose waiting messages this one replaces"),
    Key("inhibits", items(IDENTITY), "rules that are silent while this one is firing"),
    Key("paused", BOOLEAN, "evaluated, but nothing goes out", "false"),
    Key("notify", nested(NOTIFY), "action: tell the customer"),
    Key("task", nested(TASK), "action: put work into a staff queue"),
    Key("emit", nested(EMIT), "action: make an event for other rules"),
    Key("tests", nested_list(TEST), "tests of this rule, run by `belfry test`"),
))  # fmt: skip

TRIGGERS = ("event", "timer", "sequence", "campaign")
ACTIONS = ("notify", "task", "emit")
