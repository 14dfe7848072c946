"""Every key beside rules, as tables: features, segments, event declarations, policies.

In: nothing. Out: the sections, and `SECTIONS`: which top-level key holds what.
Contract: design sections 5 and 7; the shape of event declarations is ours.
"""

from __future__ import annotations

from belfry.engine.rulebook.keys import Key, Section
from belfry.engine.rulebook.rule_keys import BY
from belfry.engine.rulebook.shapes import (
    ANYTHING,
    BOOLEAN,
    DURATION,
    EXPRESSION,
    IDENTIFIER,
    LOCAL_TIME,
    NUMBER,
    TEXT,
    either,
    items,
    whole,
    word,
)

OPERATIONS = ("count", "sum", "mean", "min", "max", "last", "first", "distinct", "deviation")
# Does the current event count? Baselines leave it out, or an outlier would raise its own mean.
CURRENT_INCLUDED = {
    "count": True, "sum": True, "last": True, "first": True,
    "mean": False, "min": False, "max": False, "distinct": False, "deviation": False,
}  # fmt: skip

FEATURE = Section("feature", "A value kept for each customer, account, card or loan.", (
    *(Key(operation, EXPRESSION, doc) for operation, doc in (
        ("count", "how many: an event type, or `true` with `of`"),
        ("sum", "sum of a number"),
        ("mean", "mean of a number"),
        ("min", "smallest value"),
        ("max", "largest value"),
        ("last", "value of the latest event"),
        ("first", "value of the earliest event"),
        ("distinct", "how many different values"),
        ("deviation", "sample deviation of a number"),
    )),
    Key("of", items(IDENTIFIER),
        "event types; or account, card or loan: over the customer's entities as they are now"),
    Key("where", EXPRESSION, "which of them; default: each"),
    Key("window", DURATION, "how far back: (t - window, t]", "since ever"),
    Key("by", BY, "one value for each of these", "customer"),
    Key("at_least", whole(0, 1_000_000), "with fewer values it is unknown", "0", "values"),
    Key("current", word("include", "exclude"), "does the current event count",
        "include for count, sum, last, first; exclude for the others"),
    Key("exact", BOOLEAN, "keep the items even if the window is longer than a day", "false"),
    Key("items", whole(1, 100_000), "how many items are kept at most", "1000"),
    Key("doc", TEXT, "what it means"),
))  # fmt: skip
SEGMENT = Section("segment", "A customer's segment: the first value that holds.", (
    Key("stay", DURATION, "how long a new value must hold before it counts", "0s"),
    Key("values", ANYTHING, "mapping from value to condition, first that holds wins",
        required=True),
    Key("doc", TEXT, "what it means"),
))  # fmt: skip
SERIES = Section("series", "Events that come back in time: salary, bills, subscriptions.", (
    Key("of", items(IDENTIFIER), "event types", "transaction"),
    Key("where", EXPRESSION, "which of them; default: each"),
    Key("by", BY, "whose series they are", "account"),
    Key("same", EXPRESSION, "events that are equal in this are one series, "
        "e.g. counterparty.account ?? merchant.name; unknown: part of none", required=True),
    Key("amount", EXPRESSION, "the figure that is followed", "amount"),
    Key("who", EXPRESSION, "the other side, for texts", "counterparty.name ?? merchant.name"),
    Key("every", word("week", "two_weeks", "month", "quarter", "year"), "how often", "month"),
    Key("at_least", whole(2, 12), "from so many on it is a series", "3", "occurrences"),
    Key("tolerance", DURATION, "how much earlier or later one may come and be in time",
        "2, 3, 4, 7, 14 days, as `every`", "whole days"),
    Key("grace", DURATION, "so long after the expected day it is missing", "2d"),
    Key("at", LOCAL_TIME, "when that is looked at", "10:00", "local time"),
    Key("roll", word("next_business_day", "previous_business_day"),
        "where an expected day that is no business day moves to", "next_business_day"),
    Key("ahead", DURATION, "how far `due_soon` looks", "7d"),
    Key("most", whole(1, 100), "runs kept for each key; the shortest, oldest ones go", "20"),
    Key("doc", TEXT, "what it means"),
))  # fmt: skip
EVENT_TYPE = Section("event type", "A bank's own event type, or extra fields of a standard one.", (
    Key("doc", TEXT, "what it tells"),
    Key("fields", ANYTHING, "mapping from field name to type or {type, doc, required, choices}"),
))  # fmt: skip
FIELD = Section("field", "One declared field.", (
    Key("type", word("text", "number", "boolean", "instant", "date"), "kind of value",
        required=True),
    Key("doc", TEXT, "what it means"),
    Key("required", BOOLEAN, "must each event have it", "false"),
    Key("choices", items(TEXT), "the only texts it may be"),
), short="type")  # fmt: skip

BANK = Section("bank", "Defaults for customers who have none of their own.", (
    Key("time_zone", TEXT, "IANA name", "UTC"),
    Key("language", TEXT, "of messages, e.g. zh or en", "en"),
    Key("languages", items(TEXT), "all languages that templates are written in", "[language]"),
    Key("currencies", items(TEXT), "all currencies that accounts are kept in; lint looks for sums "
        "over several", "[currency]"),
    Key("currency", TEXT, "ISO 4217", "EUR"),
    Key("country", TEXT, "ISO 3166-1 alpha-2: business days"),
    Key("name", TEXT, "signs messages"),
    Key("opens", LOCAL_TIME, "business hours begin, on business days", "09:00", "the bank's time"),
    Key("closes", LOCAL_TIME, "business hours end", "18:00", "the bank's time"),
    Key("wait_for", items(TEXT), "sources whose events timers wait for: the `source` of events",
        "none"),
    Key("wait_max", DURATION, "how long a source of which nothing is heard holds timers back",
        "15m"),
    Key("lateness", DURATION, "how late an event may come and still count", "1h"),
))  # fmt: skip
MESSAGE_CLASS = Section("message class", "What messages of a class may do; first one goes first.", (
    Key("consent", word("none", "opt_in", "opt_out"),
        "not asked; yes needs a record; no needs a record", required=True),
    Key("purpose", IDENTIFIER, "purpose of the consent", "the class name"),
    Key("quiet_hours", word("ignore", "respect"), "is it held at night", "respect"),
    Key("exempt_from_caps", BOOLEAN, "caps do not stop it", "false"),
    Key("counts_toward_caps", BOOLEAN, "it uses up caps", "true"),
    Key("arbitration", DURATION, "how long to wait for better candidates", "0s"),
    Key("unanswered", word("resend", "other_channel", "drop"),
        "what an attempt without an answer does", "drop"),
    Key("holdout", word("never", "allowed"), "may rules keep a control group", "allowed"),
    Key("retention", DURATION, "how long decisions are kept", "for ever"),
))  # fmt: skip
QUIET = Section("quiet hours", "When customers are not disturbed; half-open, may wrap midnight.", (
    Key("from", LOCAL_TIME, "they begin", unit="local time", required=True),
    Key("to", LOCAL_TIME, "they end", unit="local time", required=True),
    Key("classes", items(IDENTIFIER), "only these classes", "all"),
    Key("channels", items(IDENTIFIER), "only these channels", "all"),
    Key("on_holidays", TEXT, "whole public holidays of this country are quiet, too"),
))  # fmt: skip
CALENDAR_WINDOWS = ("calendar_day", "calendar_week", "calendar_month")
CAP = Section("cap", "At most so many messages.", (
    Key("name", IDENTIFIER, "the reason is cap_<name>", required=True),
    Key("limit", whole(0, 1_000_000), "messages", required=True),
    Key("window", either(DURATION, word(*CALENDAR_WINDOWS)),
        "rolling duration, or calendar unit in the customer's zone", required=True),
    Key("by", word("customer", "contact", "channel", "class", "tag"), "counted for each of these",
        "customer"),
    Key("classes", items(IDENTIFIER), "only these classes", "all"),
    Key("channels", items(IDENTIFIER), "only these channels", "all"),
    Key("tags", items(IDENTIFIER), "only messages with one of these tags", "all"),
    Key("rules", items(TEXT), "only these rules", "all"),
))  # fmt: skip
CONTACTS = ("mobile", "email", "device", "landline")
CHANNEL = Section("channel", "Which contact a channel uses, and who carries it.", (
    Key("contact", word(*CONTACTS), "kind of contact point", required=True),
    Key("providers", items(IDENTIFIER), "providers in order", "[console]"),
    Key("price", NUMBER, "of one segment"),
    Key("countries", items(TEXT), "only phones of these countries", "all"),
    Key("verified", BOOLEAN, "only contact points shown to be the customer's", "true"),
))  # fmt: skip

# Top-level keys of YAML files beside `rule:`. A folder's file may also be the mapping itself.
SECTIONS: dict[str, str] = {
    "rules": "several rules in one file",
    "features": "name → feature",
    "segments": "name → segment",
    "series": "name → series",
    "lists": "name → list of texts or numbers",
    "macros": "name → expression",
    "events": "event type → declaration",
    "bank": "defaults of the bank",
    "classes": "name → message class",
    "quiet_hours": "list of quiet hours",
    "caps": "list of caps",
    "channels": "name → channel",
}
