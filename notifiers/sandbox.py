"""Jinja2 cut down to plain data: what a template's text is compiled in.

In: a text that keeps to `template_names.NODES`. Out: a compiled template that reads fields of
mappings and structs, formats figures for its reader, and cleans every value that it shows.
Invariant: nothing that a template or a value says reaches a Python attribute, a call or a file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jinja2
import msgspec
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from belfry.engine.rulebook.template_names import TESTS, check_template
from belfry.notifiers import formats
from belfry.notifiers.clean import clean_text

READER = "__reader"  # no template can name it: underscores are refused


class PlainData(ImmutableSandboxedEnvironment):
    """Jinja2 that reads fields of mappings and structs, and nothing else of any object."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, jinja2.Undefined):
            return obj  # the first missing name of a path is the one to tell
        value = field_of(obj, attribute)
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


ENVIRONMENTS = {"html": _environment(is_html=True), "txt": _environment(is_html=False)}


@lru_cache(maxsize=4096)
def compiled(kind: str, text: str) -> jinja2.Template:
    """`kind` is a key of `ENVIRONMENTS`. Raises `TemplateSyntaxError` for what is not allowed."""
    checked = check_template(text)
    if isinstance(checked, tuple):
        # A rulebook refuses such a text; one that comes another way is refused here.
        raise jinja2.TemplateSyntaxError(str(checked[0]), checked[0].place.line)
    return ENVIRONMENTS[kind].from_string(text)


def field_names(value: Any) -> tuple[str, ...]:
    """The declared fields of a struct or dataclass; nothing else has any."""
    if isinstance(value, msgspec.Struct):
        return value.__struct_fields__
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return tuple(field.name for field in dataclasses.fields(value))
    return ()


def field_of(value: Any, name: str) -> Any:
    """A field of a mapping or struct; None where it is absent, null or no field at all."""
    if isinstance(value, Mapping):
        found = value.get(name)
    else:
        found = getattr(value, name) if name in field_names(value) else None
    return None if found is msgspec.UNSET else found
