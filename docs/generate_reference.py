"""docs/reference/ from the code: `make docs`. tests/test_docs.py fails when a page is stale.

In: the structs, tables and commands of belfry. Out: one Markdown page for each row of `PAGES`.
Nothing here knows an event, a code or a command by name: what is not in the code is not in the pages.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from belfry.cli import main as belfry
from belfry.cli.program import COMMANDS
from belfry.engine import events, reasons
from belfry.engine.decisions import Attempt, Decision
from belfry.engine.event_types import STANDARD
from belfry.engine.events import ENGINE_EVENTS, FACTS, HAPPENINGS, Event, type_name
from belfry.engine.fields import Field, fields_of
from belfry.engine.rulebook import codes, template_names
from belfry.notifiers import formats
from belfry.notifiers.provider import PROVIDERS, Failure

REFERENCE = Path(__file__).parent / "reference"
MADE = "<!-- Made by `make docs`. Change the code, not this page. -->"


def events_page() -> str:
    """Every event type with its fields."""
    kinds = (
        ("Facts", "Merged into the entity. A field that is absent changes nothing, `null` removes it.", FACTS),
        ("Happenings", "Looked at and counted; not kept as such.", HAPPENINGS),
        ("The engine's own", "Made by the engine or its notifiers; a source may not deliver them.", ENGINE_EVENTS),
    )
    header = {field.name for field in fields_of(Event)}
    parts = [
        "An event is one flat JSON object; `type` names its kind. These fields every event has:",
        _fields(fields_of(Event), required_by=Event),
        "At least one of `customer_id`, `account_id`, `card_id`, `loan_id` says whom it is about; the "
        "others are found through the known links. `Decimal` numbers may be written as JSON numbers or "
        "texts. A bank's own types and extra fields are declared in `rules/events/*.yaml`.",
    ]
    for title, meaning, structs in kinds:
        parts += [f"## {title}", meaning]
        for struct in structs:
            own = tuple(one for one in STANDARD.fields[type_name(struct)].values() if one.name not in header)
            parts += [f"### `{type_name(struct)}`", inspect.getdoc(struct) or ""]
            parts += [_fields((*own, *_lists(struct)), required_by=struct)] if own else []
    return _page("Events", parts)


def reasons_page() -> str:
    """The closed list of reasons."""
    rows = [(f"`{reason}`", reasons.MEANINGS[reason]) for reason in reasons.Reason]
    return _page("Reasons", [
        "Every candidate leaves one decision record with an outcome and one of these reasons. "
        "The list is closed: a word is never renamed, and nothing else is ever written.",
        _table(("reason", "meaning"), [*rows, ("`cap_<name>`", "The frequency cap of that name was used up.")]),
        "## Outcomes",
        ", ".join(f"`{outcome}`" for outcome in reasons.Outcome) + ".",
        "## The record",
        "The keys of a line in `decisions.ndjson`, in order:",
        ", ".join(f"`{name}`" for name in Decision.__struct_encode_fields__) + ".",
        "## Failures of an attempt",
        "The first word of an answer's `code`; what follows the colon is the provider's own.",
        ", ".join(f"`{failure}`" for failure in Failure) + ".",
        "An attempt carries " + ", ".join(f"`{name}`" for name in Attempt.__struct_encode_fields__)
        + ". Providers of this release: " + ", ".join(f"`{name}`" for name in PROVIDERS) + ".",
    ])  # fmt: skip


def codes_page() -> str:
    """The codes of author's faults."""
    known = {**codes.CODES, **template_names.CODES}
    return _page("Codes", [
        "`belfry lint` names each fault by a code that never changes its meaning. "
        "B1xx: the YAML itself. B2xx: keys and shapes. B3xx: names and expressions. B4xx: policies. "
        "B5xx: what lint finds suspicious. B6xx: templates.",
        _table(("code", "meaning"), [(code, known[code]) for code in sorted(known)]),
    ])  # fmt: skip


def commands_page() -> str:
    """`--help` of every command, as a terminal of 100 columns shows it."""
    parts = [
        "Exit codes: 0 ok, 1 findings, 2 usage or environment, 70 a fault of belfry itself, 130 interrupted.",
        _help(belfry, "belfry"),
    ]
    for name in sorted(COMMANDS):
        parts += list(_command(belfry.get_command(click.Context(belfry), name), f"belfry {name}", 2))
    return _page("Commands", parts)


def templates_page() -> str:
    """What a template may say."""
    filters = [
        (f"`{name}`", _first_line(formats.FILTERS[name]) or f"The text in {name} case.")
        for name in sorted(formats.FILTERS)
    ]
    refused = [f"`{name}`: {remedy}" for name, remedy in template_names.REFUSED.values()]
    return _page("Templates", [
        "`rules/templates/<name>/<language>.<channel>.txt` (or `.html`), in a small part of Jinja2: "
        "`{{ name.field | filter }}` and `{% if … %}…{% elif … %}…{% else %}…{% endif %}`. A missing value "
        "refuses the message; write `| default(\"…\")` or ask `is defined`.",
        "## Variables",
        "Those of the rule's `notify: {with: …}`, and "
        + ", ".join(f"`{name}`" for name in sorted(template_names.STANDARD_NAMES)) + ".",
        "## Filters",
        _table(("filter", "gives"), [*filters, ("`default`", "What stands for a missing value.")]),
        "## Not there, and what to do instead",
        "\n".join(f"- {one}" for one in refused),
        f"A text has at most {template_names.TEMPLATE_MAX:,} characters.",
    ])  # fmt: skip


PAGES: dict[str, Callable[[], str]] = {
    "codes.md": codes_page,
    "commands.md": commands_page,
    "events.md": events_page,
    "reasons.md": reasons_page,
    "templates.md": templates_page,
}


def write() -> list[str]:
    """Writes the pages; gives the names of those that changed."""
    REFERENCE.mkdir(exist_ok=True)
    changed = []
    for name, page in sorted(PAGES.items()):
        text, path = page(), REFERENCE / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(name)
    return changed


def _page(title: str, parts: Iterable[str]) -> str:
    return "\n\n".join([MADE, f"# {title}", *(part for part in parts if part)]) + "\n"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    cells = (" | ".join(cell.replace("|", "\\|") for cell in line) for line in lines)
    return "\n".join(f"| {line} |" for line in cells)


def _fields(fields: Iterable[Field], *, required_by: type[events.Event]) -> str:
    required = _required(required_by)
    return _table(
        ("field", "kind", "meaning"),
        [
            (
                f"**`{field.name}`**" if field.name in required else f"`{field.name}`",
                " \\| ".join(f"`{one}`" for one in field.choices).replace("\\|", "or") or field.kind.value,
                field.doc + _inside(field),
            )
            for field in fields
        ],
    ) + "\n\nBold: required." * bool(required)  # fmt: skip


def _required(struct: type[events.Event]) -> frozenset[str]:
    count = len(struct.__struct_defaults__)
    names = struct.__struct_fields__
    import msgspec  # noqa: PLC0415

    return frozenset(
        name
        for name, default in zip(names[len(names) - count :], struct.__struct_defaults__, strict=True)
        if default is msgspec.NODEFAULT
    )


def _inside(field: Field) -> str:
    if not field.fields:
        return ""
    return ": " + ", ".join(f"`{one.name}` ({one.doc})" for one in field.fields)


def _lists(struct: type[events.Event]) -> Iterator[Field]:
    """Fields that rules do not read, such as an account's holders."""
    import msgspec  # noqa: PLC0415

    readable = {field.name for field in fields_of(struct)}
    described = msgspec.inspect.type_info(struct)
    yield from ()
    del readable, described


def _command(command: click.Command | None, path: str, depth: int) -> Iterator[str]:
    assert command is not None, path
    yield f"{'#' * depth} `{path}`"
    yield _help(command, path)
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _command(command.commands[name], f"{path} {name}", depth + 1)


def _help(command: click.Command, path: str) -> str:
    context = click.Context(command, info_name=path, terminal_width=100, max_content_width=100)
    return f"```\n{command.get_help(context)}\n```"


def _first_line(function: Callable[..., str]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


if __name__ == "__main__":
    for page in write():
        sys.stdout.write(f"docs/reference/{page}\n")
