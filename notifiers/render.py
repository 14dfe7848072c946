"""A template and values become the text that a customer reads.

In: a template of the rulebook, the customer's language, the values of a committed attempt.
Out: the text, or `Unrenderable`. Data is never read as a template, and stands cleaned in the text.
A missing value refuses the message: write `| default("…")` or `{% if … is defined %}`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jinja2
import msgspec
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from belfry.engine.faults import Fault
from belfry.engine.rulebook.model import Template
from belfry.engine.rulebook.template_names import TESTS, check_template
from belfry.notifiers import formats
from belfry.notifiers.clean import clean_name, clean_text

TEXT_MAX = 4_000  # characters of a rendered text; 26 SMS segments, more than any provider joins
HTML_MAX = 100_000  # Gmail clips a mail above 102 kB
READER = "__reader"  # no template can name it: underscores are refused

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


def render(template: Template, *, language: str, values: Mapping[str, Any]) -> str | Unrenderable:
    """The text in the template's language, with figures as `language` writes them."""
    environment = HTML if template.format == "html" else TEXT
    place = f"{template.name}/{template.language}.{template.channel}.{template.format}"
    # A Chinese text for a Czech customer (fallback) writes its dates the Chinese way.
    shown_as = language if _same_language(language, template.language) else template.language
    try:
        compiled = _compiled(environment.belfry_format, template.text)
        text = compiled.render({**_given(values, shown_as), READER: _reader(values, shown_as)})
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
    return text.strip()


class PlainData(ImmutableSandboxedEnvironment):
    """Jinja2 that reads fields of mappings and structs, and nothing else of any object."""

    belfry_format: str

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, jinja2.Undefined):
            return obj  # the first missing name of a path is the one to tell
        value = _field(obj, attribute)
        if value is None:
            return self.undefined(f"{attribute!r} is missing", obj=obj, name=attribute)
        return value

    def getitem(self, obj: Any, argument: Any) -> Any:
        return self.getattr(obj, str(argument))

    def is_safe_callable(self, obj: Any) -> bool:
        return False


def _environment(*, is_html: bool) -> PlainData:
    made = PlainData(
        autoescape=is_html,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        keep_trailing_newline=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.belfry_format = "html" if is_html else "txt"
    made.globals.clear()
    made.filters = {"default": made.filters["default"]}
    made.filters |= {name: _in_context(name) for name in formats.FILTERS}
    made.tests = {name: made.tests[name] for name in TESTS}
    return made


def _in_context(name: str) -> Any:
    """A filter of formats.py with its reader from the context; a missing value stays missing."""
    shown = formats.FILTERS[name]

    @jinja2.pass_context
    def apply(context: Context, value: Any, *arguments: Any) -> str:
        for one in (value, *arguments):
            if isinstance(one, jinja2.Undefined):
                str(one)  # StrictUndefined says which name is missing
        return shown(context[READER], value, *arguments)

    return apply


def _shown(value: Any) -> Any:
    """What a {{ }} puts into the text: data is cleaned here, so that no value can be forgotten."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return clean_text(value)
    return value


TEXT = _environment(is_html=False)
HTML = _environment(is_html=True)
ENVIRONMENTS = {"txt": TEXT, "html": HTML}


@lru_cache(maxsize=4096)
def _compiled(kind: str, text: str) -> jinja2.Template:
    checked = check_template(text)
    if isinstance(checked, tuple):
        # A rulebook refuses such a text; one that comes another way is refused here.
        raise jinja2.TemplateSyntaxError(str(checked[0]), checked[0].place.line)
    return ENVIRONMENTS[kind].from_string(text)


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
        inner = _field(holder, parent)
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
    return {name: _field(value, name) for name in _field_names(value)}


def _field_names(value: Any) -> tuple[str, ...]:
    if isinstance(value, msgspec.Struct):
        return value.__struct_fields__
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return tuple(field.name for field in dataclasses.fields(value))
    return ()


def _field(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        found = value.get(name)
    else:
        found = getattr(value, name) if name in _field_names(value) else None
    return None if found is msgspec.UNSET else found


def _reader(values: Mapping[str, Any], language: str) -> formats.Reader:
    zone = _first(values, ("customer", "time_zone"), ("bank", "time_zone"))
    currency = _first(values, ("event", "currency"), ("account", "currency"), ("bank", "currency"))
    return formats.Reader(
        formats.locale_of(language), formats.zone_of(zone) if zone else None, currency or None
    )


def _first(values: Mapping[str, Any], *paths: tuple[str, str]) -> str:
    for outer, inner in paths:
        found = _field(values.get(outer), inner)
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
