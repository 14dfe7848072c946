"""Why a candidate was sent or not: two closed enums, exported to metrics and documented in full.

In: nothing. Out: `Outcome` and `Reason`; `reason_of_cap` makes the one open family, `cap_<name>`.
Invariant: a word here is never renamed; banks keep reports on them.
"""

from __future__ import annotations

import enum


class Outcome(enum.StrEnum):
    """What became of a candidate."""

    SEND = "send"
    HOLD = "hold"
    SUPPRESS = "suppress"
    TASK = "task"
    EMIT = "emit"


class Reason(enum.StrEnum):
    """The first gate that did not let a candidate pass, or that all did."""

    SENT = "sent"
    RAISED = "raised"
    EMITTED = "emitted"
    QUIET_HOLD = "quiet_hold"
    NO_CONSENT = "no_consent"
    OPTED_OUT = "opted_out"
    NO_CONTACT = "no_contact"
    UNVERIFIED_CONTACT = "unverified_contact"
    SUPPRESSED_CONTACT = "suppressed_contact"
    COUNTRY_NOT_ALLOWED = "country_not_allowed"
    NUMBER_NOT_ALLOWED = "number_not_allowed"
    COOLDOWN = "cooldown"
    DUPLICATE = "duplicate"
    NOT_TRUE_ANY_MORE = "not_true_any_more"
    REVERSED = "reversed"
    EXPIRED = "expired"
    MISSED = "missed"
    NOT_HOLDER = "not_holder"
    LOST_ARBITRATION = "lost_arbitration"
    INHIBITED = "inhibited"
    SUPERSEDED = "superseded"
    HOLDOUT = "holdout"
    NOT_ROLLED_OUT = "not_rolled_out"
    NOT_ACTIVE = "not_active"
    PAUSED = "paused"
    ERASED = "erased"
    CUSTOMER_GONE = "customer_gone"
    UNKNOWN_ZONE = "unknown_zone"
    PROVIDER_REJECTED = "provider_rejected"
    PROVIDER_EXHAUSTED = "provider_exhausted"
    NO_ANSWER = "no_answer"
    WARMING_UP = "warming_up"
    RULE_REMOVED = "rule_removed"
    RULE_CHANGED = "rule_changed"
    RULE_BROKEN = "rule_broken"


MEANINGS: dict[Reason, str] = {
    Reason.SENT: "All gates passed; the message went to a provider.",
    Reason.RAISED: "A task was put into the staff queue.",
    Reason.EMITTED: "A derived event was made for other rules.",
    Reason.QUIET_HOLD: "Quiet hours; held until they end, then asked again.",
    Reason.NO_CONSENT: "The class needs an opt-in and there is none in force.",
    Reason.OPTED_OUT: "The customer withdrew consent, or chose other channels.",
    Reason.NO_CONTACT: "No contact point for any channel of the rule.",
    Reason.UNVERIFIED_CONTACT: "The contact point was never shown to be the customer's.",
    Reason.SUPPRESSED_CONTACT: "The contact point bounced or said STOP.",
    Reason.COUNTRY_NOT_ALLOWED: "The phone's country is not on the channel's list.",
    Reason.NUMBER_NOT_ALLOWED: "A text message to a landline, or any call to a premium number.",
    Reason.COOLDOWN: "The rule spoke to this customer about this key too recently.",
    Reason.DUPLICATE: "This occurrence was decided before.",
    Reason.NOT_TRUE_ANY_MORE: "The condition no longer held when it was asked again.",
    Reason.REVERSED: "The transaction behind it was reversed.",
    Reason.EXPIRED: "Too late to be of use, or it would be when quiet hours end.",
    Reason.MISSED: "A timer was due while nobody looked, longer ago than its grace.",
    Reason.NOT_HOLDER: "The customer no longer holds the account that it is about.",
    Reason.LOST_ARBITRATION: "A candidate of the same window took the last place under a cap.",
    Reason.INHIBITED: "Another rule that is firing silences this one.",
    Reason.SUPERSEDED: "Another rule's newer alert replaced it.",
    Reason.HOLDOUT: "The customer is in the control group; would have been sent.",
    Reason.NOT_ROLLED_OUT: "The rule is not yet on for this branch or share of customers.",
    Reason.NOT_ACTIVE: "Outside the rule's own dates.",
    Reason.PAUSED: "The rule, or everything optional for this customer, is paused.",
    Reason.ERASED: "The customer asked to be forgotten.",
    Reason.CUSTOMER_GONE: "The customer has died or left the bank.",
    Reason.UNKNOWN_ZONE: "The customer's time zone is not one we know; quiet hours can't be kept.",
    Reason.PROVIDER_REJECTED: "Every provider of the channel refused the message for good.",
    Reason.PROVIDER_EXHAUSTED: "No provider took the message before it expired.",
    Reason.NO_ANSWER: "An attempt had no answer and the class does not try again.",
    Reason.WARMING_UP: "After an edit, a window that the rule reads has not filled once.",
    Reason.RULE_REMOVED: "It was waiting or held when its rule left the rulebook.",
    Reason.RULE_CHANGED: "It was waiting or held when an edit gave its rule a new state.",
    Reason.RULE_BROKEN: "The rule was switched off: it could not be computed too often.",
}


def reason_of_cap(name: str) -> str:
    """The reason of a candidate that a frequency cap stopped: `cap_` and the cap's name."""
    return f"cap_{name}"
