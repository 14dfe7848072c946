"""All event types of the product as typed structs: one flat JSON object each.

In: JSON or msgpack. Out: structs with documented fields. Names equal JSON keys, letter for letter.
Facts (`FACTS`) are merged into an entity, a null removes a value; happenings (`HAPPENINGS`) are
not kept.
Money is `Decimal`, instants are aware; `docs/decisions/` says why.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

# A fact's optional field is absent (UNSET, unchanged), null (remove) or a value (replace).
Text = Annotated[str, Meta(max_length=4096)]
Instant = Annotated[dt.datetime, Meta(tz=True)]
Identity = Annotated[str, Meta(min_length=1, max_length=256)]
ClockTime = Annotated[str, Meta(pattern=r"^([01]?[0-9]|2[0-3]):[0-5][0-9]$")]


class Event(msgspec.Struct, kw_only=True, tag_field="type", tag=str.lower):
    """What every event has. (`source`, `id`) is unique: a repeat changes nothing."""

    id: Annotated[Identity, Meta(description="unique within the source; a repeat changes nothing")]
    time: Annotated[Instant, Meta(description="when it happened, RFC 3339 with offset")]
    source: Annotated[Text, Meta(description="the system it comes from")] = ""
    customer_id: Annotated[Identity | None, Meta(description="the customer it is about")] = None
    account_id: Annotated[Identity | None, Meta(description="the account it is about")] = None
    card_id: Annotated[Identity | None, Meta(description="the card it is about")] = None
    loan_id: Annotated[Identity | None, Meta(description="the loan it is about")] = None
    seen_at: Annotated[
        Instant | None, Meta(description="when it was decoded; stamped by the connector")
    ] = None


class Holder(msgspec.Struct, omit_defaults=True):
    """One customer's part in an account."""

    customer_id: Identity
    role: Literal["owner", "authorised"] = "owner"


class Merchant(msgspec.Struct, omit_defaults=True):
    """Who was paid by card."""

    name: Annotated[Text | None, Meta(description="as on the slip")] = None
    mcc: Annotated[Text | None, Meta(description="ISO 18245 category code, as text")] = None
    country: Annotated[Text | None, Meta(description="ISO 3166-1 alpha-2")] = None
    city: Annotated[Text | None, Meta(description="as on the slip")] = None


class Counterparty(msgspec.Struct, omit_defaults=True):
    """The other side of a transfer."""

    account: Annotated[Text | None, Meta(description="its account number")] = None
    bank: Annotated[Text | None, Meta(description="its bank code")] = None
    name: Annotated[Text | None, Meta(description="its holder's name")] = None


# --- facts ---------------------------------------------------------------------------------------
class Customer(Event, tag="customer"):
    """Master data of a customer. Fact."""

    name: Annotated[Text | None | UnsetType, Meta(description="full name, for salutations")] = UNSET
    gender: Annotated[Text | None | UnsetType, Meta(description="female, male or other")] = UNSET
    birth_date: Annotated[dt.date | None | UnsetType, Meta(description="date of birth")] = UNSET
    language: Annotated[Text | None | UnsetType, Meta(description="BCP 47, e.g. zh or en")] = UNSET
    time_zone: Annotated[Text | None | UnsetType, Meta(description="IANA name")] = UNSET
    country: Annotated[Text | None | UnsetType, Meta(description="residence, ISO 3166-1")] = UNSET
    city: Annotated[Text | None | UnsetType, Meta(description="city of residence")] = UNSET
    branch: Annotated[Text | None | UnsetType, Meta(description="branch that looks after them")] = (
        UNSET
    )
    manager: Annotated[Text | None | UnsetType, Meta(description="relationship manager")] = UNSET
    status: Annotated[
        Text | None | UnsetType, Meta(description="active, deceased, closed, erased")
    ] = UNSET
    risk_profile: Annotated[
        Text | None | UnsetType, Meta(description="investment risk appetite")
    ] = UNSET
    segment: Annotated[Text | None | UnsetType, Meta(description="segment given by the bank")] = (
        UNSET
    )
    since: Annotated[dt.date | None | UnsetType, Meta(description="customer since")] = UNSET
    income: Annotated[Decimal | None | UnsetType, Meta(description="monthly income")] = UNSET
    occupation: Annotated[Text | None | UnsetType, Meta(description="occupation")] = UNSET
    low_balance_limit: Annotated[
        Decimal | None | UnsetType, Meta(description="own limit for low-balance alerts")
    ] = UNSET
    salary_expected: Annotated[
        bool | None | UnsetType, Meta(description="is paid a salary here")
    ] = UNSET
    open_complaints: Annotated[
        int | None | UnsetType, Meta(description="complaints not resolved")
    ] = UNSET


class Account(Event, tag="account"):
    """An account and its holders. Fact."""

    holders: Annotated[
        list[Holder] | None | UnsetType, Meta(description="who holds it; the first owner leads")
    ] = UNSET
    product: Annotated[
        Text | None | UnsetType, Meta(description="current, savings, term_deposit …")
    ] = UNSET
    currency: Annotated[Text | None | UnsetType, Meta(description="ISO 4217")] = UNSET
    status: Annotated[
        Text | None | UnsetType, Meta(description="active, dormant, blocked, closed")
    ] = UNSET
    opened_on: Annotated[dt.date | None | UnsetType, Meta(description="date opened")] = UNSET
    closed_on: Annotated[dt.date | None | UnsetType, Meta(description="date closed")] = UNSET
    matures_on: Annotated[dt.date | None | UnsetType, Meta(description="end of a term deposit")] = (
        UNSET
    )
    branch: Annotated[Text | None | UnsetType, Meta(description="branch that keeps it")] = UNSET
    balance: Annotated[
        Decimal | None | UnsetType, Meta(description="booked balance, account currency")
    ] = UNSET
    overdraft_limit: Annotated[
        Decimal | None | UnsetType, Meta(description="arranged overdraft")
    ] = UNSET
    credit_limit: Annotated[Decimal | None | UnsetType, Meta(description="credit line")] = UNSET
    low_balance_limit: Annotated[
        Decimal | None | UnsetType, Meta(description="limit for this account")
    ] = UNSET
    statement_frequency: Annotated[
        Text | None | UnsetType, Meta(description="how often a statement is made")
    ] = UNSET


class Card(Event, tag="card"):
    """A payment card. Fact."""

    kind: Annotated[Text | None | UnsetType, Meta(description="debit, credit, classic, gold …")] = (
        UNSET
    )
    status: Annotated[
        Text | None | UnsetType, Meta(description="issued, active, blocked, lost, expired")
    ] = UNSET
    issued_on: Annotated[dt.date | None | UnsetType, Meta(description="date issued")] = UNSET
    activated_on: Annotated[dt.date | None | UnsetType, Meta(description="date activated")] = UNSET
    expires_on: Annotated[dt.date | None | UnsetType, Meta(description="last valid day")] = UNSET
    replaced_by: Annotated[
        Text | None | UnsetType, Meta(description="id of the card that replaces it")
    ] = UNSET
    credit_limit: Annotated[
        Decimal | None | UnsetType, Meta(description="credit line of the card")
    ] = UNSET


class Loan(Event, tag="loan"):
    """A loan and what is due on it. Fact."""

    amount: Annotated[Decimal | None | UnsetType, Meta(description="principal")] = UNSET
    payment: Annotated[Decimal | None | UnsetType, Meta(description="one instalment")] = UNSET
    duration_months: Annotated[int | None | UnsetType, Meta(description="term in months")] = UNSET
    granted_on: Annotated[dt.date | None | UnsetType, Meta(description="date granted")] = UNSET
    next_due_on: Annotated[
        dt.date | None | UnsetType, Meta(description="next instalment's due date")
    ] = UNSET
    amount_due: Annotated[
        Decimal | None | UnsetType, Meta(description="still due of that instalment")
    ] = UNSET
    balance: Annotated[Decimal | None | UnsetType, Meta(description="principal still owed")] = UNSET
    status: Annotated[
        Text | None | UnsetType, Meta(description="active, in_arrears, paid_off, defaulted")
    ] = UNSET


class Contact(Event, tag="contact"):
    """A phone, an address or a device. Fact. `address: null` removes the kind."""

    kind: Annotated[
        Literal["mobile", "email", "device", "landline"],
        Meta(description="what sort of contact point"),
    ]
    address: Annotated[Text | None, Meta(description="E.164 phone, email address or device token")]
    verified: Annotated[bool | None | UnsetType, Meta(description="shown to be the customer's")] = (
        UNSET
    )
    primary: Annotated[bool | None | UnsetType, Meta(description="used first within its kind")] = (
        UNSET
    )
    suppressed: Annotated[
        bool | None | UnsetType, Meta(description="must not be used: bounced, STOP")
    ] = UNSET
    active: Annotated[bool | None | UnsetType, Meta(description="false: no longer in use")] = UNSET


class Consent(Event, tag="consent"):
    """Permission given or withdrawn. Fact, with its evidence."""

    purpose: Annotated[
        Identity, Meta(description="what for: service, advice, marketing or the bank's own")
    ]
    given: Annotated[bool, Meta(description="true: given, false: withdrawn")]
    channel: Annotated[Text | None, Meta(description="only this channel; absent: all")] = None
    contact: Annotated[Text | None, Meta(description="only this address; absent: all")] = None
    evidence: Annotated[Text | None, Meta(description="where the proof is kept")] = None
    valid_until: Annotated[Instant | None, Meta(description="the consent ends then")] = None


class Preference(Event, tag="preference"):
    """What the customer chose for themselves. Fact."""

    quiet_from: Annotated[
        ClockTime | None | UnsetType, Meta(description='own quiet hours begin, "22:00"')
    ] = UNSET
    quiet_to: Annotated[
        ClockTime | None | UnsetType, Meta(description='own quiet hours end, "07:00"')
    ] = UNSET
    channels: Annotated[
        list[Text] | None | UnsetType, Meta(description="the only channels to use, in order")
    ] = UNSET
    paused_until: Annotated[
        Instant | None | UnsetType, Meta(description="nothing optional before then")
    ] = UNSET
    low_balance_limit: Annotated[
        Decimal | None | UnsetType, Meta(description="sets customer.low_balance_limit")
    ] = UNSET
    language: Annotated[Text | None | UnsetType, Meta(description="sets customer.language")] = UNSET


# --- happenings ----------------------------------------------------------------------------------
class Transaction(Event, tag="transaction"):
    """Money moved, or was meant to, on an account. `balance` is the balance after it."""

    amount: Annotated[Decimal, Meta(description="more than 0; the direction is apart")]
    direction: Annotated[Literal["credit", "debit"], Meta(description="credit: money in")]
    currency: Annotated[Text | None, Meta(description="ISO 4217")] = None
    balance: Annotated[Decimal | None, Meta(description="account balance after it")] = None
    status: Annotated[
        Literal["posted", "pending", "declined", "reversed"],
        Meta(description="state of the booking"),
    ] = "posted"
    decline_reason: Annotated[Text | None, Meta(description="why it was declined")] = None
    operation: Annotated[
        Text | None, Meta(description="cash_in, cash_out, card, transfer_in, transfer_out …")
    ] = None
    category: Annotated[Text | None, Meta(description="spending category")] = None
    purpose: Annotated[
        Text | None, Meta(description="salary, pension, insurance, interest, fee …")
    ] = None
    channel: Annotated[Text | None, Meta(description="pos, atm, online, branch, mobile")] = None
    merchant: Annotated[Merchant | None, Meta(description="who was paid by card")] = None
    counterparty: Annotated[
        Counterparty | None, Meta(description="the other side of a transfer")
    ] = None
    reverses: Annotated[
        Text | None, Meta(description="id of the transaction that this one undoes")
    ] = None


class Login(Event, tag="login"):
    """A login to a bank channel, or an attempt."""

    outcome: Annotated[Literal["success", "failure"], Meta(description="did it succeed")] = (
        "success"
    )
    channel: Annotated[Text | None, Meta(description="mobile, web, phone")] = None
    device: Annotated[Text | None, Meta(description="device id")] = None
    new_device: Annotated[bool | None, Meta(description="first login from this device")] = None
    country: Annotated[Text | None, Meta(description="country of the address, ISO 3166-1")] = None


class Security(Event, tag="security"):
    """Something that protects the customer was changed."""

    changed: Annotated[
        Identity, Meta(description="password, mobile, email, address, device, limit …")
    ]
    before: Annotated[Text | None, Meta(description="old value, if it may be told")] = None
    after: Annotated[Text | None, Meta(description="new value, if it may be told")] = None
    channel: Annotated[Text | None, Meta(description="where it was changed")] = None


class Request(Event, tag="request"):
    """A step in the life of a service request."""

    request_id: Annotated[Identity, Meta(description="the service request")]
    step: Annotated[
        Literal["opened", "assigned", "answered", "waiting", "resolved"],
        Meta(description="what happened to it"),
    ]
    kind: Annotated[Text | None, Meta(description="complaint, question, dispute …")] = None
    subject: Annotated[Text | None, Meta(description="in a few words")] = None
    priority: Annotated[Text | None, Meta(description="low, normal, high")] = None
    channel: Annotated[Text | None, Meta(description="where it came in")] = None
    assignee: Annotated[Text | None, Meta(description="who works on it")] = None


class Survey(Event, tag="survey"):
    """An answer to a survey."""

    survey: Annotated[Identity, Meta(description="which survey")]
    question: Annotated[Text | None, Meta(description="which question")] = None
    score: Annotated[Decimal | None, Meta(description="the figure answered")] = None
    answer: Annotated[Text | None, Meta(description="the words answered")] = None


class Score(Event, tag="score"):
    """A model's output about the customer."""

    model: Annotated[Identity, Meta(description="which model")]
    value: Annotated[Decimal, Meta(description="its output")]
    version: Annotated[Text | None, Meta(description="the model's version")] = None
    label: Annotated[Text | None, Meta(description="the class it chose")] = None


class Interaction(Event, tag="interaction"):
    """The customer met the bank: a visit, a call, a click."""

    kind: Annotated[Identity, Meta(description="visit, call, open, click, view …")]
    channel: Annotated[Text | None, Meta(description="where")] = None
    subject: Annotated[Text | None, Meta(description="what about")] = None
    message_id: Annotated[Text | None, Meta(description="the message it answers")] = None


# --- the engine's own ----------------------------------------------------------------------------
class Timer(Event, tag="timer"):
    """A timer of the customer's record is due. `time` is the due instant."""

    only: Annotated[Text | None, Meta(description="run only timers of this kind; absent: all")] = (
        None
    )


class Answer(Event, tag="answer"):
    """What a provider said at once to one attempt."""

    attempt_id: Annotated[Identity, Meta(description="the attempt")]
    result: Annotated[
        Literal["accepted", "rejected", "unknown"], Meta(description="unknown: may have been sent")
    ]
    retry: Annotated[
        Literal["same_provider", "other_provider", "never"],
        Meta(description="what a rejection allows"),
    ] = "never"
    provider: Annotated[Text | None, Meta(description="who answered")] = None
    provider_ref: Annotated[Text | None, Meta(description="the provider's id of the message")] = (
        None
    )
    code: Annotated[Text | None, Meta(description="the provider's own word or code")] = None


class Receipt(Event, tag="receipt"):
    """What a provider said later about one attempt."""

    attempt_id: Annotated[Identity, Meta(description="the attempt")]
    result: Annotated[
        Literal["delivered", "read", "failed"], Meta(description="rank: failed < delivered < read")
    ]
    code: Annotated[Text | None, Meta(description="the provider's own word or code")] = None


class Reply(Event, tag="reply"):
    """A text the customer sent back."""

    channel: Annotated[Identity, Meta(description="where it came in")]
    text: Annotated[Text, Meta(description="its first words")]
    address: Annotated[Text | None, Meta(description="where it came from")] = None


class Segment(Event, tag="segment"):
    """A customer's segment changed; made by the engine, rules may wait for it."""

    name: Annotated[Identity, Meta(description="which segment")]
    before: Annotated[Text | None, Meta(description="the value it had")] = None
    after: Annotated[Text | None, Meta(description="the value it has now")] = None


FACTS: tuple[type[Event], ...] = (Customer, Account, Card, Loan, Contact, Consent, Preference)
HAPPENINGS: tuple[type[Event], ...] = (
    Transaction, Login, Security, Request, Survey, Score, Interaction,
)  # fmt: skip
ENGINE_EVENTS: tuple[type[Event], ...] = (Timer, Answer, Receipt, Reply, Segment)


def type_name(struct: type[msgspec.Struct]) -> str:
    """The value of `type` in JSON: `Transaction` is `transaction`."""
    return str(struct.__struct_config__.tag)


STANDARD_EVENTS: dict[str, type[Event]] = {
    type_name(struct): struct for struct in (*FACTS, *HAPPENINGS, *ENGINE_EVENTS)
}
ENTITIES = ("customer", "account", "card", "loan")
