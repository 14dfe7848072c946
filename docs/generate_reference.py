"""docs/reference/ from the code: `make docs`. tests/test_docs.py fails when a page is stale.

In: the structs, tables and commands of belfry. Out: one Markdown page for each row of `PAGES`.
Nothing here knows an event, a code or a command by name: the code is the only source.
"""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

import click
import msgspec

from belfry.cli import main as belfry
from belfry.cli.program import COMMANDS
from belfry.connectors.sources import keys as source_keys
from belfry.engine import reasons
from belfry.engine.decisions import Attempt, Decision
from belfry.engine.events import ENGINE_EVENTS, FACTS, HAPPENINGS, Event, type_name
from belfry.engine.fields import Field, fields_of
from belfry.engine.rulebook import codes, policy_keys, rule_keys, template_names
from belfry.engine.rulebook.keys import Key, Section
from belfry.notifiers import formats
from belfry.notifiers.provider import PROVIDERS, Failure
from belfry.runtime.metrics import METRICS

EVENTS_ABOUT = """\
At least one of `customer_id`, `account_id`, `card_id`, `loan_id` says whom it is about; the others
are found through the known links. A number may be written as a JSON number or as text. A bank's own
types and extra fields are declared in `rules/events/*.yaml`."""

REASONS_ABOUT = """\
Every candidate leaves one decision record with an outcome and one of these reasons. The list is
closed: a word is never renamed, and nothing else is ever written."""

CODES_ABOUT = """\
`belfry lint` names each fault by a code that never changes its meaning. B1xx: the YAML itself.
B2xx: keys and shapes. B3xx: names and expressions. B4xx: policies. B5xx: what lint finds
suspicious. B6xx: templates. B7xx: source mappings."""

COMMANDS_ABOUT = """\
Exit codes: 0 ok, 1 findings, 2 usage or environment, 70 a fault of belfry, 130 interrupted."""

TEMPLATES_ABOUT = """\
`rules/templates/<name>/<language>.<channel>.txt` (or `.html`), in a small part of Jinja2:
`{{ name.field | filter }}` and `{% if … %}…{% else %}…{% endif %}`. A missing value refuses the
message: write `| default("…")`, or ask `is defined`."""

METRICS_ABOUT = """\
What `belfry serve` shows at `/metrics`, as Prometheus reads it. The values of labels come from
closed sets (rule ids, classes, channels, providers, reasons): never a customer or an amount."""

KEYS_ABOUT = """\
YAML in UTF-8. An unknown key is a fault with a "did you mean". Only `true` and `false` are
booleans; durations are written `30d`, `12h`, `10m`, `90s`, times of day `"09:00"`, always local to
the customer. Expressions are those of the rule-engine language, without what is unbounded or
impure."""

KEYS_BESIDE = """\
A file in `rules/<section>/`, or one named after the section, holds the mapping itself; elsewhere
the section is the top-level key."""

SOURCES_ABOUT = """\
`rules/sources/<name>.yaml` says how the rows of a bank's files become events. `belfry lint` checks
it with the rules, `belfry import` uses it. What is true of all files stands at the top, what is
true of one file in that file; the innermost counts.

A value or a condition can be an expression, `{expr: …}`, in the language of rules. It reads
`row.x`, the text of column `x`, and by its bare name what was worked out above: the file's `values`
(numbers, dates and instants once they say `as` or `format`) and the fields of the event so far.
What is missing makes it unknown, and unknown is no value. A text that it gives is treated like that
of a column.

```yaml
values:
  gross: {column: total, as: number}
  fee: {column: fee, as: number, default: 0}
skip_when: row.kind == "TEST"
events:
- type: transaction
  fields:
    amount: {expr: $abs(gross - fee)}
    direction: {expr: 'gross < fee ? "debit" : "credit"'}
```"""

REFERENCE = Path(__file__).parent / "reference"
CAP = ("`cap_<name>`", "The frequency cap of that name was used up.")
MADE = "<!-- Made by `make docs`. Change the code, not this page. -->"


def events_page() -> str:
    """Every event type with its fields."""
    kinds = (
        (
            "Facts",
            "Merged into the entity. An absent field changes nothing, `null` removes it.",
            FACTS,
        ),
        ("Happenings", "Looked at and counted; not kept as such.", HAPPENINGS),
        (
            "The engine's own",
            "Made by the engine or its notifiers; no source brings them.",
            ENGINE_EVENTS,
        ),
    )
    header = frozenset(Event.__struct_fields__)
    parts = [
        "An event is one flat JSON object; `type` names its kind. These fields every event has:",
        _fields(Event),
        EVENTS_ABOUT,
    ]
    for title, meaning, structs in kinds:
        parts += [f"## {title}", meaning]
        for struct in structs:
            parts += [f"### `{type_name(struct)}`", inspect.getdoc(struct) or ""]
            parts += [_fields(struct, without=header)]
    return _page("Events", parts)


def reasons_page() -> str:
    """The closed list of reasons."""
    rows = [(f"`{reason}`", reasons.MEANINGS[reason]) for reason in reasons.Reason]
    return _page("Reasons", [
        REASONS_ABOUT,
        _table(("reason", "meaning"), [*rows, CAP]),
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
    known = {**codes.CODES, **template_names.CODES, **source_keys.CODES}
    return _page("Codes", [
        CODES_ABOUT,
        _table(("code", "meaning"), [(code, known[code]) for code in sorted(known)]),
    ])  # fmt: skip


def metrics_page() -> str:
    """Every metric of `/metrics`."""
    rows = [
        (
            f"`{one.name}`",
            one.kind,
            one.unit,
            ", ".join(f"`{label}`" for label in one.labels),
            one.help,
        )
        for one in METRICS
    ]
    return _page("Metrics", [
        METRICS_ABOUT,
        _table(("metric", "kind", "unit", "labels", "meaning"), rows),
    ])  # fmt: skip


def commands_page() -> str:
    """`--help` of every command, as a terminal of 100 columns shows it."""
    parts = [
        COMMANDS_ABOUT,
        _help(belfry, "belfry"),
    ]
    for name in sorted(COMMANDS):
        command = belfry.get_command(click.Context(belfry), name)
        parts += _command(command, f"belfry {name}", depth=2)
    return _page("Commands", parts)


def rule_keys_page() -> str:
    """Every key of the rulebook's YAML, from the tables that read it."""
    parts = [KEYS_ABOUT, "## A rule"]
    parts += _sections(rule_keys, first=rule_keys.RULE)
    parts += ["## Beside rules", KEYS_BESIDE]
    parts += [
        _table(("section", "holds"), [(f"`{k}`", v) for k, v in policy_keys.SECTIONS.items()])
    ]
    parts += _sections(policy_keys)
    return _page("Keys of the rulebook", parts)


def sources_page() -> str:
    """Every key of a source mapping."""
    parts = [SOURCES_ABOUT, *_sections(source_keys, first=source_keys.SOURCE)]
    return _page("Keys of source mappings", parts)


def templates_page() -> str:
    """What a template may say."""
    filters = [
        (f"`{name}`", _first_line(formats.FILTERS[name]) or f"The text in {name} case.")
        for name in sorted(formats.FILTERS)
    ]
    refused = [f"- {name}: {remedy}" for name, remedy in template_names.REFUSED.values()]
    return _page("Templates", [
        TEMPLATES_ABOUT,
        "## Variables",
        "Those of the rule's `notify: {with: …}`, and "
        + ", ".join(f"`{name}`" for name in sorted(template_names.STANDARD_NAMES)) + ".",
        "## Filters",
        _table(("filter", "gives"), [*filters, ("`default`", "What stands for a missing value.")]),
        "## Not there, and what to do instead",
        "\n".join(refused),
        f"A text has at most {template_names.TEMPLATE_MAX:,} characters.",
    ])  # fmt: skip


PAGES: dict[str, Callable[[], str]] = {
    "codes.md": codes_page,
    "commands.md": commands_page,
    "metrics.md": metrics_page,
    "events.md": events_page,
    "reasons.md": reasons_page,
    "rule-keys.md": rule_keys_page,
    "sources.md": sources_page,
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


def _fields(struct: type[Event], *, without: frozenset[str] = frozenset()) -> str:
    """One row a field: those that rules read, then the lists."""
    readable = {field.name: field for field in fields_of(struct)}
    rows = []
    for field in msgspec.structs.fields(struct):
        name = field.encode_name
        if name in without:
            continue
        shown = f"`{name}` (required)" if field.required else f"`{name}`"
        one = readable.get(name)
        rows.append((shown, *(_readable(one) if one else _list(struct, name))))
    return _table(("field", "kind", "meaning"), rows) if rows else ""


def _readable(field: Field) -> tuple[str, str]:
    kind = ", ".join(f"`{one}`" for one in field.choices) or field.kind.value
    inside = "; ".join(f"`{one.name}`: {one.doc}" for one in field.fields)
    return kind, f"{field.doc}. Has {inside}" if inside else field.doc


def _list(struct: type[Event], name: str) -> tuple[str, str]:
    """A list, which rules do not read: its meaning from the schema, its parts from the item."""
    definitions = msgspec.json.schema(struct)["$defs"]
    field = definitions[struct.__name__]["properties"][name]
    kinds = field.get("anyOf", [field])
    (items,) = (kind["items"] for kind in kinds if kind["type"] == "array")
    item = definitions.get(items.get("$ref", "").rpartition("/")[2], {})
    parts = ", ".join(f"`{part}`" for part in item.get("properties", ()))
    of = f"{{{parts}}}" if parts else "objects" if items["type"] == "object" else "texts"
    return f"list of {of}", field["description"]


def _sections(module: ModuleType, *, first: Section | None = None) -> Iterator[str]:
    """The sections that a module defines, in its order; `first` goes before them."""
    found = [one for one in vars(module).values() if isinstance(one, Section)]
    for section in sorted(found, key=lambda one: one is not first):
        yield f"### `{section.name}`"
        yield section.doc
        yield _table(("key", "expects", "meaning", "default"), map(_key, section.keys))


def _key(key: Key) -> tuple[str, ...]:
    meaning = f"{key.doc} ({key.unit})" if key.unit else key.doc
    name = f"`{key.name}` (required)" if key.required else f"`{key.name}`"
    return name, key.shape.says, meaning, key.default


def _command(command: click.Command | None, path: str, *, depth: int) -> Iterator[str]:
    assert command is not None, path
    yield f"{'#' * depth} `{path}`"
    yield _help(command, path)
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _command(command.commands[name], f"{path} {name}", depth=depth + 1)


def _help(command: click.Command, path: str) -> str:
    command = copy.copy(command)
    command._help_option = None  # noqa: SLF001  click keeps the names of whoever asked first
    context = click.Context(
        command,
        info_name=path,
        terminal_width=100,
        max_content_width=100,
        help_option_names=["-h", "--help"],
    )
    return f"```\n{command.get_help(context)}\n```"


def _first_line(function: Callable[..., str]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


if __name__ == "__main__":
    for page in write():
        sys.stdout.write(f"docs/reference/{page}\n")
