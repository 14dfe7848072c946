"""What Twilio tells us: receipts of messages and calls, and texts that customers send back.

In: the form of a request, its signature. Out: news of an attempt, or which consent a word changes.
Invariant: an unknown word is no news. A signature has neither time nor delimiters (`{"a": "bc"}`
signs like `{"ab": "c"}`): so news only count for the attempt in the signed path, and only upward.
Source: https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks,
https://www.twilio.com/docs/voice/api/call-resource, and the words of Twilio's default opt-out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from twilio.request_validator import RequestValidator, get_signature_algorithm

WORD_MAX = 40

# Twilio's word → ours; None: on its way, no news.
MESSAGE_WORDS: dict[str, str | None] = {
    "accepted": None,
    "scheduled": None,
    "queued": None,
    "sending": None,
    "sent": None,
    "delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
    "partially_delivered": "failed",
}
# A call that ended is not a text that was heard: only the digit says so.
CALL_WORDS: dict[str, str | None] = {
    "queued": None,
    "initiated": None,
    "ringing": None,
    "in-progress": None,
    "answered": None,
    "completed": "failed",
    "busy": "failed",
    "failed": "failed",
    "no-answer": "failed",
    "canceled": "failed",
}
STOP_WORDS = frozenset((
    "stop", "stopall", "unsubscribe", "end", "quit", "revoke", "optout", "opt out", "cancel",
    "td", "t", "退订", "退訂", "停止", "取消", "拒收",
    "odhlasit", "konec", "zrusit", "neposilat",
))  # fmt: skip
START_WORDS = frozenset((
    "start", "unstop", "yes",
    "订阅", "訂閱", "恢复", "恢復", "开启",
    "prihlasit", "obnovit", "posilat",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class News:
    """`result` None: no news. `is_known` False: a word that we do not know. `word`: Twilio's."""

    word: str
    result: str | None
    code: str
    is_known: bool = True
    is_digit: bool = False


def news_of(form: Mapping[str, str]) -> News:
    """What a callback says of its attempt."""
    if "Digits" in form:
        return News("digit", "read", "digit", is_digit=True)
    if "MessageStatus" in form:
        word, words, detail = form["MessageStatus"], MESSAGE_WORDS, form.get("ErrorCode", "")
    else:
        word, words, detail = form.get("CallStatus", ""), CALL_WORDS, form.get("AnsweredBy", "")
    word = _plain(word)
    code = f"{word} {_plain(detail)}" if detail else word
    return News(word, words.get(word), code, is_known=word in words)


def _plain(word: str) -> str:
    """A provider's word as it may be kept: no phone and no text fits through."""
    return word if re.fullmatch(r"[A-Za-z_-]{1,40}|[0-9]{1,5}", word) else "?"


def consent_word(form: Mapping[str, str]) -> bool | None:
    """False: a STOP word, True: a START word, None: any other text."""
    told = form.get("OptOutType", "").upper()  # Twilio's own reading, with Advanced Opt-Out
    if told in {"STOP", "START"}:
        return told == "START"
    word = _folded(form.get("Body", ""))
    if word in STOP_WORDS:
        return False
    return True if word in START_WORDS else None


def _folded(text: str) -> str:
    """Without case, accents, and punctuation around."""
    letters = unicodedata.normalize("NFKD", text[: WORD_MAX * 2]).casefold()
    kept = "".join(one for one in letters if not unicodedata.combining(one))
    return " ".join(re.sub(r"[\W_]+", " ", kept).split())


def is_signed(
    url: str, form: Mapping[str, str], headers: Mapping[str, str], *, auth_token: str,
    webhook_secret: str = "",
) -> bool:  # fmt: skip
    """By the account's token, or by a shared key where the newer header names one."""
    signature = headers.get("x-twilio-signature", "")
    settings = headers.get("x-twilio-webhooks-signature-settings", "")
    secret = webhook_secret if settings else auth_token
    if not signature or not secret:
        return False
    algorithm = get_signature_algorithm(settings)
    return bool(RequestValidator(secret).validate(url, dict(form), signature, algorithm))
