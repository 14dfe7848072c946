"""The JSON Schemas say what the reader reads."""

from typing import Any

import pytest

from belfry.engine.event_types import STANDARD
from belfry.engine.rulebook.policy_keys import SECTIONS
from belfry.engine.rulebook.rule_keys import RULE
from belfry.engine.rulebook.schema import (
    ALL_SECTIONS,
    decision_schema,
    events_schema,
    rules_schema,
)


def test_every_key_of_a_rule_and_every_section_is_in_the_schema() -> None:
    schema = rules_schema()
    assert set(schema["properties"]) == set(RULE.index) | set(SECTIONS)
    assert schema["additionalProperties"] is False


def test_every_key_is_described_for_the_editor_to_show() -> None:
    def descriptions(schema: dict[str, Any]) -> list[str]:
        return [one["description"] for one in schema["properties"].values() if "title" not in one]

    rule = rules_schema()["properties"]
    assert all(rule[key]["description"].endswith(".") for key in RULE.index)
    assert all(descriptions(rule["notify"]))
    assert "Default: customer." in rule["by"]["description"]


def test_the_schema_knows_the_event_types() -> None:
    event = rules_schema(["login", "branch_visit"])["properties"]["event"]
    assert event["anyOf"][0] == {"enum": ["branch_visit", "login"]}


def test_words_are_enumerated() -> None:
    timer = rules_schema()["properties"]["timer"]["properties"]
    assert timer["leap"]["enum"] == ["feb28", "mar1"]


def test_events_are_told_apart_by_type() -> None:
    schema = events_schema(STANDARD)
    assert len(schema["oneOf"]) == len(STANDARD.incoming)
    assert schema["$defs"]["Login"]["properties"]["type"]["enum"] == ["login"]


def test_a_decision_has_the_fields_of_the_contract() -> None:
    fields = {
        "id", "at", "customer_id", "rule", "key", "occurrence", "class", "outcome", "reason",
        "channel", "send_at", "values", "rulebook", "message_id",
    }  # fmt: skip
    schema = decision_schema()
    definition = schema["$defs"]["Decision"] if "$defs" in schema else schema
    assert set(definition["properties"]) == fields


@pytest.mark.parametrize("section", ALL_SECTIONS, ids=lambda section: section.name)
def test_every_key_has_a_meaning(section: Any) -> None:
    assert section.doc
    assert all(key.doc and key.shape.says for key in section.keys)
