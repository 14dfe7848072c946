"""Policies: bank, classes, quiet hours, caps, channels; defaults where none are written.

In: nodes. Out: `Policies`, complete. A file that is written replaces the default as a whole.
Source of the default classes: design section 7.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from typing import Any, cast

import holidays

from belfry.engine.faults import Severity
from belfry.engine.rulebook.keys import Section, Values, read_section
from belfry.engine.rulebook.model import Bank, Cap, Channel, MessageClass, Policies, QuietHours
from belfry.engine.rulebook.parts import Parts, unique
from belfry.engine.rulebook.policy_keys import BANK, CAP, CHANNEL, MESSAGE_CLASS, QUIET
from belfry.engine.rulebook.shapes import IDENTIFIER, Faults
from belfry.engine.rulebook.suggest import did_you_mean, listed
from belfry.engine.rulebook.yaml_nodes import ListNode, Node, TextNode, fault_at, place_of

_COUNTRY = re.compile("[A-Z]{2}")
Known = Mapping[str, Mapping[str, Any]]

_SECONDS_2, _MINUTES_5 = dt.timedelta(seconds=2), dt.timedelta(minutes=5)
DEFAULT_CLASSES: dict[str, MessageClass] = {
    one.name: one
    for one in (
        MessageClass("security", 0, "none", quiet_hours="ignore", exempt_from_caps=True,
                     counts_toward_caps=False, unanswered="resend", holdout="never"),
        MessageClass("regulatory", 1, "none", exempt_from_caps=True, counts_toward_caps=False,
                     unanswered="other_channel", holdout="never"),
        MessageClass("service", 2, "opt_out", "service", arbitration=_SECONDS_2),
        MessageClass("advice", 3, "opt_in", "advice", arbitration=_MINUTES_5),
        MessageClass("marketing", 4, "opt_in", "marketing", arbitration=_MINUTES_5),
    )
}  # fmt: skip
DEFAULT_CHANNELS: dict[str, Channel] = {
    "sms": Channel("sms", "mobile"),
    "push": Channel("push", "device"),
    "email": Channel("email", "email"),
    "voice": Channel("voice", "mobile"),
}


def read_policies(parts: Parts, faults: Faults) -> Policies:
    """All policies; what could not be read has its default, and a fault."""
    bank = _bank(parts.bank, faults)
    classes = {name: _class(name, rank, values) for rank, (name, values) in enumerate(
        _named(MESSAGE_CLASS, parts, "classes", "message class", faults)
    )} or DEFAULT_CLASSES  # fmt: skip
    channels = {
        name: _channel(name, values)
        for name, values in _named(CHANNEL, parts, "channels", "channel", faults)
    } or DEFAULT_CHANNELS
    rules = {str(getattr(rule.get("rule"), "value", "")) for rule in parts.rules}
    known: Known = {"classes": classes, "channels": channels, "rules": dict.fromkeys(rules)}
    quiet = tuple(
        _quiet(values, known, faults)
        for values in _listed(QUIET, parts, "quiet_hours", faults)
        if values.get("from") is not None and values.get("to") is not None
    )
    caps = _caps(_listed(CAP, parts, "caps", faults), known, faults)
    return Policies(bank, classes, quiet, caps, channels)


def _named(
    section: Section, parts: Parts, top: str, what: str, faults: Faults
) -> Iterable[tuple[str, Values]]:
    for name, (key, node) in unique(parts.of(top), what, faults).items():
        values = read_section(section, node, faults)
        if IDENTIFIER.read(key, faults) is not None and values is not None:
            yield name, values


def _listed(section: Section, parts: Parts, top: str, faults: Faults) -> list[Values]:
    found = [read_section(section, node, faults) for node in parts.listed.get(top, [])]
    return [values for values in found if values is not None]


def _bank(nodes: list[Node], faults: Faults) -> Bank:
    if not nodes:
        return Bank()
    for second in nodes[1:]:
        message = f"'bank' is defined twice: first at {place_of(nodes[0])}"
        faults.append(fault_at(second, "B213", message, hint="remove one of the two"))
    values = read_section(BANK, nodes[0], faults)
    if values is None:
        return Bank()
    zone = values.get("time_zone", "UTC")
    if not is_zone(zone):
        hint = did_you_mean(zone, zoneinfo.available_timezones())
        message = f"unknown time zone '{zone}'"
        at = values.at("time_zone")
        faults.append(fault_at(at, "B403", message, expected="an IANA name", hint=hint))
        zone = "UTC"
    country = _country(values, "country", faults) or ""
    default = Bank()
    opens, closes = values.get("opens", default.opens), values.get("closes", default.closes)
    if opens >= closes:
        message = "business hours end before they begin"
        at = values.at("closes" if "closes" in values else "opens")
        faults.append(fault_at(at, "B212", message, hint='opens: "09:00"'))
    return Bank(
        time_zone=zone,
        language=values.get("language", default.language),
        currency=values.get("currency", default.currency),
        country=country,
        name=values.get("name", default.name),
        languages=values.get("languages", ()),
        currencies=values.get("currencies", ()),
        lateness=values.get("lateness", default.lateness),
        opens=opens,
        closes=closes,
        wait_for=values.get("wait_for", default.wait_for),
        wait_max=values.get("wait_max", default.wait_max),
    )


def is_zone(name: str) -> bool:
    """Is it in the IANA database?"""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _country(values: Values, key: str, faults: Faults) -> str | None:
    code: str | None = values.get(key)
    if code is None or (_COUNTRY.fullmatch(code) and hasattr(holidays, code)):
        return code
    message = f"'{code}' is no country whose holidays are known"
    at, expected = values.at(key), "ISO 3166-1 alpha-2, such as CN"
    faults.append(fault_at(at, "B404", message, expected=expected))
    return None


def _class(name: str, rank: int, values: Values) -> MessageClass:
    consent = values.get("consent", "opt_in")
    return MessageClass(
        name=name,
        rank=rank,
        consent=consent,
        purpose=values.get("purpose", None if consent == "none" else name),
        quiet_hours=values.get("quiet_hours", "respect"),
        exempt_from_caps=values.get("exempt_from_caps", False),
        counts_toward_caps=values.get("counts_toward_caps", True),
        arbitration=values.get("arbitration", dt.timedelta(0)),
        unanswered=values.get("unanswered", "drop"),
        holdout=values.get("holdout", "allowed"),
        retention=values.get("retention"),
    )


def _channel(name: str, values: Values) -> Channel:
    return Channel(
        name=name,
        contact=values.get("contact", "mobile"),
        providers=values.get("providers", ("console",)),
        price=values.get("price"),
        countries=frozenset(values.get("countries", ())),
        verified=values.get("verified", True),
    )


def _quiet(values: Values, known: Known, faults: Faults) -> QuietHours:
    return QuietHours(
        from_=values.get("from"),
        to=values.get("to"),
        classes=_known(values, "classes", known, faults),
        channels=_known(values, "channels", known, faults),
        on_holidays=_country(values, "on_holidays", faults),
    )


def _caps(found: list[Values], known: Known, faults: Faults) -> tuple[Cap, ...]:
    caps: dict[str, Cap] = {}
    for values in found:
        name, limit, window = (values.get(key) for key in ("name", "limit", "window"))
        if name is None or limit is None or window is None:
            continue
        if name in caps:
            message = f"cap '{name}' is defined twice"
            faults.append(fault_at(values.at("name"), "B213", message, hint="rename one"))
        caps[name] = Cap(
            name=name,
            limit=limit,
            window=window,
            by=cast("Any", values.get("by", "customer")),
            classes=_known(values, "classes", known, faults),
            channels=_known(values, "channels", known, faults),
            tags=frozenset(values.get("tags", ())),
            rules=_known(values, "rules", known, faults),
        )
    return tuple(caps.values())


UNKNOWN: dict[str, tuple[str, str]] = {
    "classes": ("B401", "message class"),
    "channels": ("B402", "channel"),
    "rules": ("B302", "rule"),
}


def _known(values: Values, key: str, known: Known, faults: Faults) -> frozenset[str]:
    """The names that a policy is restricted to. One that is only like a known one is a mistake;
    one that is like none may be meant for later, and restricts nothing: a warning.
    """
    names: tuple[str, ...] = values.get(key, ())
    found: Faults = []
    check_known(names, values.at(key), key, known[key], found)
    for fault in found:
        faults.append(
            fault if fault.hint else dataclasses.replace(fault, severity=Severity.WARNING)
        )
    return frozenset(names)


def check_known(
    names: Iterable[str], node: Node, key: str, known: Mapping[str, Any], faults: Faults
) -> None:
    """A fault for each name that is not known, at its own item."""
    code, what = UNKNOWN[key]
    for name in names:
        if name not in known:
            parts = node.items if isinstance(node, ListNode) else [node]
            at = next((p for p in parts if isinstance(p, TextNode) and p.value == name), node)
            hint, expected = did_you_mean(name, known), listed(known)
            message = f"unknown {what} '{name}'"
            faults.append(fault_at(at, code, message, expected=expected, hint=hint))
