"""A template and values become the text that a customer reads.

In: a template of the rulebook, the customer's language, the values of a committed attempt.
Out: the text, or `Unrenderable`. Data is never read as a template, and stands cleaned in the text.
A missing value refuses the message: write `| default("…")` or `{% if … is defined %}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jinja2

from belfry.engine.decisions import Attempt
from belfry.engine.faults import Fault
from belfry.engine.rulebook.model import Rulebook, Template
from belfry.engine.rulebook.template_names import check_template
from belfry.notifiers import formats
from belfry.notifiers.clean import clean_name
from belfry.notifiers.sandbox import READER, compiled, field_names, field_of
from belfry.notifiers.segments import plain

TEXT_MAX = 4_000  # characters of a rendered text; 26 SMS segments, more than any provider joins
HTML_MAX = 100_000  # Gmail clips a mail above 102 kB
# Names that strangers choose: where they hold a link or a number, a neutral word stands instead.
NAMES = (("customer", "name"), ("event", "counterparty", "name"))


@dataclass(frozen=True, slots=True)
class Unrenderable:
    """A text that could not be made: which template, and why. Holds no customer data."""

    template: str
    why: str


def compile_template(text: str, *, file: str = "template") -> frozenset[str] | tuple[Fault, ...]:
    """The names that a text uses, or every fault in it."""
    checked = check_template(text, file=file)
    return checked if isinstance(checked, tuple) else checked.names


def choose(
    templates: Mapping[tuple[str, str, str], Template],
    *,
    name: str,
    channel: str,
    languages: tuple[str, ...],
) -> Template | None:
    """The text in the first of `languages` that has one; `zh-Hans-CN` also looks under `zh`.

    `languages`: the customer's, then the bank's in the order that it declares them.
    """
    for language in languages:
        for candidate in _ever_plainer(language):
            found = templates.get((name, candidate, channel))
            if found is not None:
                return found
    return None


class Renderer:
    """The texts of one rulebook, and messages as lines of a file."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book

    def text(self, attempt: Attempt) -> str | Unrenderable | None:
        return text_of(attempt, self._book)

    def message(self, attempt: Attempt) -> dict[str, object]:
        return message_row(attempt, self.text(attempt))


def template_of(attempt: Attempt, book: Rulebook) -> Template | None:
    """In the customer's language, else in the bank's, in their order; None: no text in any."""
    bank = book.policies.bank
    languages = (attempt.language, bank.language, *bank.languages)
    return choose(
        book.templates, name=attempt.template, channel=attempt.channel, languages=languages
    )


def text_of(attempt: Attempt, book: Rulebook) -> str | Unrenderable | None:
    """The text of its template; None: there is no template."""
    template = template_of(attempt, book)
    if template is None:
        return None
    return render(template, language=attempt.language, values=attempt.values)


def render(template: Template, *, language: str, values: Mapping[str, Any]) -> str | Unrenderable:
    """The text in the template's language, with figures as `language` writes them."""
    place = f"{template.name}/{template.language}.{template.channel}.{template.format}"
    # A Chinese text for a Czech customer (fallback) writes its dates the Chinese way.
    shown_as = language if _same_language(language, template.language) else template.language
    try:
        text = compiled(template.format, template.text).render(
            {**_given(values, shown_as), READER: _reader(values, shown_as)}
        )
    except jinja2.UndefinedError as missing:
        return Unrenderable(place, missing.message or "a value is missing")
    except formats.NotShowable as problem:
        return Unrenderable(place, f"a value cannot be shown: {problem}")
    except jinja2.TemplateSyntaxError as fault:
        return Unrenderable(place, fault.message or "not a template")
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError) as problem:
        return Unrenderable(place, f"cannot be rendered: {type(problem).__name__}")
    length_max = HTML_MAX if template.format == "html" else TEXT_MAX
    if len(text) > length_max:
        return Unrenderable(place, f"has {len(text)} characters; at most {length_max} are sent")
    # One invisible space would halve what fits into a segment.
    return plain(text.strip()) if template.channel == "sms" else text.strip()


def message_row(attempt: Attempt, text: str | Unrenderable | None) -> dict[str, object]:
    """`text` is null where it could not be made; `fault` then says why."""
    return {
        "message_id": attempt.message_id,
        "attempt_id": attempt.attempt_id,
        "at": attempt.at.isoformat(),
        "customer_id": attempt.customer_id,
        "rule": attempt.rule,
        "key": attempt.key,
        "class": attempt.message_class,
        "channel": attempt.channel,
        "provider": attempt.provider,
        "address": attempt.address,
        "language": attempt.language,
        "template": attempt.template,
        "title": attempt.title,
        "expires_at": None if attempt.expires_at is None else attempt.expires_at.isoformat(),
        "text": text if isinstance(text, str) else None,
        "fault": _fault(attempt, text),
    }


def _fault(attempt: Attempt, text: str | Unrenderable | None) -> str | None:
    match text:
        case str():
            return None
        case Unrenderable(template=template, why=why):
            return f"{template}: {why}"
        case None:
            return f"{attempt.template}: no text for {attempt.channel} in any language"


def _given(values: Mapping[str, Any], language: str) -> dict[str, Any]:
    """The values without nulls, names made harmless."""
    given = {name: value for name, value in values.items() if value is not None}
    for path in NAMES:
        _replace_name(given, path, language)
    return given


def _replace_name(given: dict[str, Any], path: tuple[str, ...], language: str) -> None:
    *parents, last = path
    holder = given
    for parent in parents:
        inner = field_of(holder, parent)
        if inner is None:
            return
        copy = _as_dict(inner)
        holder[parent] = copy
        holder = copy
    name = holder.get(last)
    if isinstance(name, str):
        holder[last] = clean_name(name, language=language)


def _as_dict(value: Any) -> dict[str, Any]:
    """A copy: what the engine gave is not changed."""
    if isinstance(value, Mapping):
        return dict(value)
    return {name: field_of(value, name) for name in field_names(value)}


def _reader(values: Mapping[str, Any], language: str) -> formats.Reader:
    zone = _first(values, ("customer", "time_zone"), ("bank", "time_zone"))
    currency = _first(values, ("event", "currency"), ("account", "currency"), ("bank", "currency"))
    return formats.Reader(
        formats.locale_of(language), formats.zone_of(zone) if zone else None, currency or None
    )


def _first(values: Mapping[str, Any], *paths: tuple[str, str]) -> str:
    for outer, inner in paths:
        found = field_of(values.get(outer), inner)
        if isinstance(found, str) and found:
            return found
    return ""


def _ever_plainer(language: str) -> Iterator[str]:
    """`zh-Hans-CN`, `zh-Hans`, `zh`."""
    parts = language.replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        yield "-".join(parts[:length])


def _same_language(one: str, other: str) -> bool:
    return formats.locale_of(one).language == formats.locale_of(other).language
