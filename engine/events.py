"""All event types of the product as typed structs: one flat JSON object each.

In: JSON or msgpack. Out: structs with documented fields. Names equal JSON keys, letter for letter.
Facts (`FACTS`) are merged into an entity, a null removes a value; happenings (`HAPPENINGS`) are
not kept.
Money is `Decimal`, instants are aware; `docs/decisions/` says why.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

T = TypeVar("T")
# A fact's optional field is absent (UNSET, unchanged), null (remove) or a value (replace).
Fact: TypeAlias = T | None | UnsetType
Text = Annotated[str, Meta(max_length=4096)]
Instant = Annotated[dt.datetime, Meta(tz=True)]
Identity = Annotated[str, Meta(min_length=1, max_length=256)]
ClockTime = Annotated[str, Meta(pattern=r"^([01]?[0-9]|2[0-3]):[0-5][0-9]$")]


def says(meaning: str) -> Meta:
    """A field's meaning, for the reference, the JSON Schema and the editor."""
    return Meta(description=meaning)


class Event(msgspec.Struct, kw_only=True, tag_field="type", tag=str.lower):
    """What every event has. (`source`, `id`) is unique: a repeat changes nothing."""

    id: Annotated[Identity, says("unique within the source; a repeat changes nothing")]
    time: Annotated[Instant, says("when it happened, RFC 3339 with offset")]
    source: Annotated[Text, says("the system it comes from")] = ""
    customer_id: Annotated[Identity | None, says("the customer it is about")] = None
    account_id: Annotated[Identity | None, says("the account it is about")] = None
    card_id: Annotated[Identity | None, says("the card it is about")] = None
    loan_id: Annotated[Identity | None, says("the loan it is about")] = None
    seen_at: Annotated[Instant | None, says("when it was decoded; stamped by the connector")] = None


class Holder(msgspec.Struct, omit_defaults=True):
    """One customer's part in an account."""

    customer_id: Identity
    role: Literal["owner", "authorised"] = "owner"


class Merchant(msgspec.Struct, omit_defaults=True):
    """Who was paid by card."""

    name: Annotated[Text | None, says("as on the slip")] = None
    mcc: Annotated[Text | None, says("ISO 18245 category code, as text")] = None
    country: Annotated[Text | None, says("ISO 3166-1 alpha-2")] = None
    city: Annotated[Text | None, says("as on the slip")] = None


class Counterparty(msgspec.Struct, omit_defaults=True):
    """The other side of a transfer."""

    account: Annotated[Text | None, says("its account number")] = None
    bank: Annotated[Text | None, says("its bank code")] = None
    name: Annotated[Text | None, says("its holder's name")] = None


# --- facts ---------------------------------------------------------------------------------------
class Customer(Event, tag="customer"):
    """Master data of a customer. Fact."""

    name: Annotated[Fact[Text], says("full name, for salutations")] = UNSET
    gender: Annotated[Fact[Text], says("female, male or other")] = UNSET
    birth_date: Annotated[Fact[dt.date], says("date of birth")] = UNSET
    language: Annotated[Fact[Text], says("BCP 47, e.g. zh or en")] = UNSET
    time_zone: Annotated[Fact[Text], says("IANA name")] = UNSET
    country: Annotated[Fact[Text], says("residence, ISO 3166-1")] = UNSET
    city: Annotated[Fact[Text], says("city of residence")] = UNSET
    branch: Annotated[Fact[Text], says("branch that looks after them")] = UNSET
    manager: Annotated[Fact[Text], says("relationship manager")] = UNSET
    status: Annotated[Fact[Text], says("active, deceased, closed, erased")] = UNSET
    risk_profile: Annotated[Fact[Text], says("investment risk appetite")] = UNSET
    segment: Annotated[Fact[Text], says("segment given by the bank")] = UNSET
    since: Annotated[Fact[dt.date], says("customer since")] = UNSET
    income: Annotated[Fact[Decimal], says("monthly income")] = UNSET
    occupation: Annotated[Fact[Text], says("occupation")] = UNSET
    low_balance_limit: Annotated[Fact[Decimal], says("own limit for low-balance alerts")] = UNSET
    salary_expected: Annotated[Fact[bool], says("is paid a salary here")] = UNSET
    open_complaints: Annotated[Fact[int], says("complaints not resolved")] = UNSET


class Account(Event, tag="account"):
    """An account and its holders. Fact."""

    holders: Annotated[Fact[list[Holder]], says("who holds it; the first owner leads")] = UNSET
    product: Annotated[Fact[Text], says("current, savings, term_deposit …")] = UNSET
    currency: Annotated[Fact[Text], says("ISO 4217")] = UNSET
    status: Annotated[Fact[Text], says("active, dormant, blocked, closed")] = UNSET
    opened_on: Annotated[Fact[dt.date], says("date opened")] = UNSET
    closed_on: Annotated[Fact[dt.date], says("date closed")] = UNSET
    matures_on: Annotated[Fact[dt.date], says("end of a term deposit")] = UNSET
    branch: Annotated[Fact[Text], says("branch that keeps it")] = UNSET
    balance: Annotated[Fact[Decimal], says("booked balance, account currency")] = UNSET
    overdraft_limit: Annotated[Fact[Decimal], says("arranged overdraft")] = UNSET
    credit_limit: Annotated[Fact[Decimal], says("credit line")] = UNSET
    low_balance_limit: Annotated[Fact[Decimal], says("limit for this account")] = UNSET
    statement_frequency: Annotated[Fact[Text], says("how often a statement is made")] = UNSET


class Card(Event, tag="card"):
    """A payment card. Fact."""

    kind: Annotated[Fact[Text], says("debit, credit, classic, gold …")] = UNSET
    status: Annotated[Fact[Text], says("issued, active, blocked, lost, expired")] = UNSET
    issued_on: Annotated[Fact[dt.date], says("date issued")] = UNSET
    activated_on: Annotated[Fact[dt.date], says("date activated")] = UNSET
    expires_on: Annotated[Fact[dt.date], says("last valid day")] = UNSET
    replaced_by: Annotated[Fact[Text], says("id of the card that replaces it")] = UNSET
    credit_limit: Annotated[Fact[Decimal], says("credit line of the card")] = UNSET


class Loan(Event, tag="loan"):
    """A loan and what is due on it. Fact."""

    amount: Annotated[Fact[Decimal], says("principal")] = UNSET
    payment: Annotated[Fact[Decimal], says("one instalment")] = UNSET
    duration_months: Annotated[Fact[int], says("term in months")] = UNSET
    granted_on: Annotated[Fact[dt.date], says("date granted")] = UNSET
    next_due_on: Annotated[Fact[dt.date], says("next instalment's due date")] = UNSET
    amount_due: Annotated[Fact[Decimal], says("still due of that instalment")] = UNSET
    balance: Annotated[Fact[Decimal], says("principal still owed")] = UNSET
    status: Annotated[Fact[Text], says("active, in_arrears, paid_off, defaulted")] = UNSET


class Contact(Event, tag="contact"):
    """A phone, an address or a device. Fact. `address: null` removes the kind."""

    kind: Annotated[
        Literal["mobile", "email", "device", "landline"], says("what sort of contact point")
    ]
    address: Annotated[Text | None, says("E.164 phone, email address or device token")]
    verified: Annotated[Fact[bool], says("shown to be the customer's")] = UNSET
    primary: Annotated[Fact[bool], says("used first within its kind")] = UNSET
    suppressed: Annotated[Fact[bool], says("must not be used: bounced, STOP")] = UNSET
    active: Annotated[Fact[bool], says("false: no longer in use")] = UNSET


class Consent(Event, tag="consent"):
    """Permission given or withdrawn. Fact, with its evidence."""

    purpose: Annotated[Identity, says("what for: service, advice, marketing or the bank's own")]
    given: Annotated[bool, says("true: given, false: withdrawn")]
    channel: Annotated[Text | None, says("only this channel; absent: all")] = None
    contact: Annotated[Text | None, says("only this address; absent: all")] = None
    evidence: Annotated[Text | None, says("where the proof is kept")] = None
    valid_until: Annotated[Instant | None, says("the consent ends then")] = None


class Preference(Event, tag="preference"):
    """What the customer chose for themselves. Fact."""

    quiet_from: Annotated[Fact[ClockTime], says('own quiet hours begin, "22:00"')] = UNSET
    quiet_to: Annotated[Fact[ClockTime], says('own quiet hours end, "07:00"')] = UNSET
    channels: Annotated[Fact[list[Text]], says("the only channels to use, in order")] = UNSET
    paused_until: Annotated[Fact[Instant], says("nothing optional before then")] = UNSET
    low_balance_limit: Annotated[Fact[Decimal], says("sets customer.low_balance_limit")] = UNSET
    language: Annotated[Fact[Text], says("sets customer.language")] = UNSET


# --- happenings ----------------------------------------------------------------------------------
class Transaction(Event, tag="transaction"):
    """Money moved, or was meant to, on an account. `balance` is the balance after it."""

    amount: Annotated[Decimal, says("more than 0; the direction is apart")]
    direction: Annotated[Literal["credit", "debit"], says("credit: money in")]
    currency: Annotated[Text | None, says("ISO 4217")] = None
    balance: Annotated[Decimal | None, says("account balance after it")] = None
    status: Annotated[
        Literal["posted", "pending", "declined", "reversed"], says("state of the booking")
    ] = "posted"
    decline_reason: Annotated[Text | None, says("why it was declined")] = None
    operation: Annotated[
        Text | None, says("cash_in, cash_out, card, transfer_in, transfer_out …")
    ] = None
    category: Annotated[Text | None, says("spending category")] = None
    purpose: Annotated[Text | None, says("salary, pension, insurance, interest, fee …")] = None
    channel: Annotated[Text | None, says("pos, atm, online, branch, mobile")] = None
    merchant: Annotated[Merchant | None, says("who was paid by card")] = None
    counterparty: Annotated[Counterparty | None, says("the other side of a transfer")] = None
    reverses: Annotated[Text | None, says("id of the transaction that this one undoes")] = None


class Login(Event, tag="login"):
    """A login to a bank channel, or an attempt."""

    outcome: Annotated[Literal["success", "failure"], says("did it succeed")] = "success"
    channel: Annotated[Text | None, says("mobile, web, phone")] = None
    device: Annotated[Text | None, says("device id")] = None
    new_device: Annotated[bool | None, says("first login from this device")] = None
    country: Annotated[Text | None, says("country of the address, ISO 3166-1")] = None


class Security(Event, tag="security"):
    """Something that protects the customer was changed."""

    changed: Annotated[Identity, says("password, mobile, email, address, device, limit …")]
    before: Annotated[Text | None, says("old value, if it may be told")] = None
    after: Annotated[Text | None, says("new value, if it may be told")] = None
    channel: Annotated[Text | None, says("where it was changed")] = None


class Request(Event, tag="request"):
    """A step in the life of a service request."""

    request_id: Annotated[Identity, says("the service request")]
    step: Annotated[
        Literal["opened", "assigned", "answered", "waiting", "resolved"],
        says("what happened to it"),
    ]
    kind: Annotated[Text | None, says("complaint, question, dispute …")] = None
    subject: Annotated[Text | None, says("in a few words")] = None
    priority: Annotated[Text | None, says("low, normal, high")] = None
    channel: Annotated[Text | None, says("where it came in")] = None
    assignee: Annotated[Text | None, says("who works on it")] = None


class Survey(Event, tag="survey"):
    """An answer to a survey."""

    survey: Annotated[Identity, says("which survey")]
    question: Annotated[Text | None, says("which question")] = None
    score: Annotated[Decimal | None, says("the figure answered")] = None
    answer: Annotated[Text | None, says("the words answered")] = None


class Score(Event, tag="score"):
    """A model's output about the customer."""

    model: Annotated[Identity, says("which model")]
    value: Annotated[Decimal, says("its output")]
    version: Annotated[Text | None, says("the model's version")] = None
    label: Annotated[Text | None, says("the class it chose")] = None


class Interaction(Event, tag="interaction"):
    """The customer met the bank: a visit, a call, a click."""

    kind: Annotated[Identity, says("visit, call, open, click, view …")]
    channel: Annotated[Text | None, says("where")] = None
    subject: Annotated[Text | None, says("what about")] = None
    message_id: Annotated[Text | None, says("the message it answers")] = None


# --- the engine's own ----------------------------------------------------------------------------
class Timer(Event, tag="timer"):
    """A timer of the customer's record is due. `time` is the due instant."""

    only: Annotated[Text | None, says("run only timers of this kind; absent: all")] = None


class Answer(Event, tag="answer"):
    """What a provider said at once to one attempt."""

    attempt_id: Annotated[Identity, says("the attempt")]
    result: Annotated[
        Literal["accepted", "rejected", "unknown"], says("unknown: may have been sent")
    ]
    retry: Annotated[
        Literal["same_provider", "other_provider", "never"], says("what a rejection allows")
    ] = "never"
    provider: Annotated[Text | None, says("who answered")] = None
    provider_ref: Annotated[Text | None, says("the provider's id of the message")] = None
    code: Annotated[Text | None, says("the provider's own word or code")] = None


class Receipt(Event, tag="receipt"):
    """What a provider said later about one attempt."""

    attempt_id: Annotated[Identity, says("the attempt")]
    result: Annotated[
        Literal["delivered", "read", "failed"], says("rank: failed < delivered < read")
    ]
    code: Annotated[Text | None, says("the provider's own word or code")] = None


class Reply(Event, tag="reply"):
    """A text the customer sent back."""

    channel: Annotated[Identity, says("where it came in")]
    text: Annotated[Text, says("its first words")]
    address: Annotated[Text | None, says("where it came from")] = None


class Segment(Event, tag="segment"):
    """A customer's segment changed; made by the engine, rules may wait for it."""

    name: Annotated[Identity, says("which segment")]
    before: Annotated[Text | None, says("the value it had")] = None
    after: Annotated[Text | None, says("the value it has now")] = None


class Series(Event, tag="series"):
    """A step of a series (`series:`); made by the engine, rules may wait for it.

    found: there are enough of them now; continued: the next one came; again: one in between;
    missing: the next one did not come; ended: twice; undone: one was reversed.
    """

    name: Annotated[Identity, says("which series")]
    step: Annotated[
        Literal["found", "continued", "again", "missing", "ended", "undone"],
        says("what happened to it"),
    ]
    who: Annotated[Text | None, says("the other side, as it calls itself")] = None
    amount: Annotated[Decimal | None, says("of the last one")] = None
    currency: Annotated[Text | None, says("ISO 4217")] = None
    before: Annotated[Decimal | None, says("amount of the one before it")] = None
    before_at: Annotated[Instant | None, says("when that one was")] = None
    change: Annotated[Decimal | None, says("amount less `before`")] = None
    change_share: Annotated[Decimal | None, says("change as a share: 0.1 is 10 % more")] = None
    usual: Annotated[Decimal | None, says("middle one of the last three; expected next")] = None
    count: Annotated[Decimal | None, says("how many there were at their time")] = None
    extras: Annotated[Decimal | None, says("how many in between, of late")] = None
    expected_on: Annotated[dt.date | None, says("missing, ended: when it was expected")] = None
    next_on: Annotated[dt.date | None, says("else: when the next is expected")] = None


class Snapshot(Event, tag="snapshot"):
    """What is known of an account when a customer becomes its holder. Nobody is told of it."""

    facts: Annotated[
        list[dict[str, Any]],
        says("the account, its cards and loans: flat objects with `type` and ids"),
    ]


class Departure(Event, tag="departure"):
    """The customer no longer holds an account: its alerts, timers and facts end for them."""


FACTS: tuple[type[Event], ...] = (Customer, Account, Card, Loan, Contact, Consent, Preference)
HAPPENINGS: tuple[type[Event], ...] = (
    Transaction, Login, Security, Request, Survey, Score, Interaction,
)  # fmt: skip
ENGINE_EVENTS: tuple[type[Event], ...] = (
    Timer, Answer, Receipt, Reply, Segment, Series, Snapshot, Departure,
)  # fmt: skip

# The engine handles these before any rule: nobody waits for them.
HANDLED_APART: tuple[type[Event], ...] = (Timer, Answer, Receipt, Snapshot, Departure)


def type_name(struct: type[msgspec.Struct]) -> str:
    """The value of `type` in JSON: `Transaction` is `transaction`."""
    return str(struct.__struct_config__.tag)


STANDARD_EVENTS: dict[str, type[Event]] = {
    type_name(struct): struct for struct in (*FACTS, *HAPPENINGS, *ENGINE_EVENTS)
}
ENTITIES = ("customer", "account", "card", "loan")
