"""Why a record was not accepted: one closed list for quarantine, reports and metrics.

In: nothing. Out: `Reason`, and `Rejected`, what a decoder returns instead of an event.
Words are stable: operations staff search for them. `MEANINGS` is their documentation.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Reason(enum.StrEnum):
    """In the order in which a record is looked at: the first that applies is given."""

    BROKEN_FILE = "broken_file"
    TOO_LARGE = "too_large"
    INVALID_UTF8 = "invalid_utf8"
    BROKEN_JSON = "broken_json"
    BROKEN_ROW = "broken_row"
    TOO_DEEP = "too_deep"
    UNKNOWN_TYPE = "unknown_type"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_WORD = "unknown_word"
    BAD_TEXT = "bad_text"
    BAD_NUMBER = "bad_number"
    BAD_TIME = "bad_time"
    OUT_OF_RANGE = "out_of_range"
    NO_SUBJECT = "no_subject"
    LOOKUP_FAILED = "lookup_failed"
    UNKNOWN_ACCOUNT = "unknown_account"
    ENGINE_FAULT = "engine_fault"


MEANINGS: dict[Reason, str] = {
    Reason.BROKEN_FILE: "the file ends too early or cannot be unpacked; what came before it counts",
    Reason.TOO_LARGE: "larger than a record may be (256 KiB; a JSON file: 256 MiB)",
    Reason.INVALID_UTF8: "bytes that are no text in the declared encoding",
    Reason.BROKEN_JSON: "not JSON",
    Reason.BROKEN_ROW: "a row of a CSV file with broken quotes or another number of columns",
    Reason.TOO_DEEP: "nested too deeply",
    Reason.UNKNOWN_TYPE: "`type` is no type of event that a source may deliver",
    Reason.MISSING_FIELD: "a required field is not there",
    Reason.WRONG_TYPE: "a field has another type of value than it must have",
    Reason.UNKNOWN_WORD: "a field has a word that is not in its list",
    Reason.BAD_TEXT: "a text that is empty, too long, or holds NUL or half a character",
    Reason.BAD_NUMBER: "not a finite number of at most 18 digits, 6 of them after the point",
    Reason.BAD_TIME: "not a date or time that exists, or a time without its offset",
    Reason.OUT_OF_RANGE: "a number or a time outside of what makes sense",
    Reason.NO_SUBJECT: "no customer, account, card or loan is named",
    Reason.LOOKUP_FAILED: "what a source mapping looks up in another file is not there, or twice",
    Reason.UNKNOWN_ACCOUNT: "about an account, card or loan of which no holder is known",
    Reason.ENGINE_FAULT: "belfry itself failed at it: our mistake; kept to be tried again",
}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that is no event. `detail` names the field and what was expected, never a value."""

    reason: Reason
    detail: str
