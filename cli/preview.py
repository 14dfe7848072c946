"""`belfry preview`: what a rule's texts look like, how long they are and what they cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import click
import msgspec

from belfry.cli.examples import by_example
from belfry.cli.loading import load_book
from belfry.cli.replay import FOLDER
from belfry.engine.decisions import Attempt
from belfry.engine.program import build_program
from belfry.engine.rulebook.model import Rule, Rulebook
from belfry.engine.rulebook.suggest import did_you_mean, listed
from belfry.notifiers.render import Unrenderable, render, template_of
from belfry.notifiers.segments import Count, count
from belfry.runtime.rule_tests import BadTest, attempts_in, related_book

SCHEMA = "belfry.preview/1"


@dataclass(frozen=True, slots=True)
class Sample:
    """One text. `template`: the file it came from, of another language if there is none."""

    test: str
    channel: str
    language: str
    template: str | None
    text: str | None
    fault: str | None
    counted: Count | None
    cost: Decimal | None


@click.command(
    epilog=by_example(
        ("belfry preview low-balance", "each channel and language, with the facts of its tests"),
        ("belfry preview low-balance --test 'salary is late'", "with the facts of one test"),
    )
)
@click.argument("rule_id", metavar="RULE")
@click.option("--rules", type=FOLDER, default=Path("rules"), show_default=True)
@click.option("--test", "only", help="The test whose facts are shown; default: the first one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per text.")
def preview(rule_id: str, rules: Path, only: str | None, *, as_json: bool) -> int:
    """Show a rule's texts with the facts of its tests. Exit code 1 if one cannot be made.

    Cost is the channel's `price`, for SMS times the segments.
    """
    book = load_book(rules)
    rule = book.rules.get(rule_id)
    if rule is None:
        meant = did_you_mean(rule_id, book.rules) or f"there are {listed(sorted(book.rules))}"
        raise click.UsageError(f"no rule {rule_id!r}; {meant}")
    if rule.notify is None:
        raise click.UsageError(f"{rule_id} tells customers nothing: it has no `notify`")
    test, attempt = _example(book, rule, only)
    samples = list(samples_of(book, rule, attempt, test))
    for sample in samples:
        if as_json:
            click.echo(json.dumps(_as_dict(sample), ensure_ascii=False))
        else:
            _show(sample)
    return 1 if any(one.text is None for one in samples) else 0


def samples_of(book: Rulebook, rule: Rule, attempt: Attempt, test: str) -> Iterator[Sample]:
    """Every channel of the rule in every language that the bank or the template has."""
    assert rule.notify is not None
    bank = book.policies.bank
    written = {lang for name, lang, _ in book.templates if name == rule.notify.template}
    languages = dict.fromkeys((bank.language, *bank.languages, *sorted(written)))
    for channel in rule.notify.channels:
        for language in languages:
            yield _sample(book, attempt, test, channel, language)


def _sample(book: Rulebook, attempt: Attempt, test: str, channel: str, language: str) -> Sample:
    shown = msgspec.structs.replace(attempt, channel=channel, language=language)
    template = template_of(shown, book)
    if template is None:
        fault = f"{attempt.template}: no text for {channel} in any language"
        return Sample(test, channel, language, None, None, fault, None, None)
    file = f"{template.name}/{template.language}.{template.channel}.{template.format}"
    text = render(template, language=language, values=attempt.values)
    if isinstance(text, Unrenderable):
        return Sample(test, channel, language, file, None, text.why, None, None)
    counted = count(text) if channel == "sms" else None
    price = book.policies.channels[channel].price
    times = 1 if counted is None else counted.segments
    cost = None if price is None else price * times
    return Sample(test, channel, language, file, text, None, counted, cost)


def _example(book: Rulebook, rule: Rule, only: str | None) -> tuple[str, Attempt]:
    """The first message that a test of the rule sends."""
    program = build_program(related_book(book, rule))
    tests = [one for one in rule.tests if only in (None, one.name)]
    if not tests:
        have = listed([one.name for one in rule.tests]) if rule.tests else "none"
        raise click.UsageError(f"{rule.id} has no such test; there are: {have}")
    for test in tests:
        try:
            attempts = attempts_in(program, rule, test)
        except BadTest as bad:
            raise click.UsageError(f"{rule.id}: {test.name}: {bad}") from None
        if attempts:
            return test.name, attempts[0]
    raise click.UsageError(f"{rule.id}: no test of it sends a message, so there are no facts")


def _show(sample: Sample) -> None:
    parts = [f"{sample.channel} {sample.language}"]
    if sample.template is not None:
        parts.append(sample.template)
    if sample.counted is not None:
        one = sample.counted
        word = "segment" if one.segments == 1 else "segments"
        parts.append(f"{one.units} units of {one.alphabet}, {one.segments} {word}")
    elif sample.text is not None:
        parts.append(f"{len(sample.text)} characters")
    if sample.cost is not None:
        parts.append(f"costs {sample.cost}")
    click.secho(" · ".join(parts), bold=True)
    if sample.text is None:
        click.secho(f"  cannot be made: {sample.fault}", fg="red")
    for line in (sample.text or "").splitlines():
        click.echo(f"  {line}")
    click.echo()


def _as_dict(sample: Sample) -> dict[str, object]:
    counted = sample.counted
    return {
        "schema": SCHEMA,
        "test": sample.test,
        "channel": sample.channel,
        "language": sample.language,
        "template": sample.template,
        "text": sample.text,
        "fault": sample.fault,
        "alphabet": None if counted is None else counted.alphabet.value,
        "units": None if counted is None else counted.units,
        "segments": None if counted is None else counted.segments,
        "cost": None if sample.cost is None else str(sample.cost),
    }
