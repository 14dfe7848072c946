"""The documents say what the code does: pages are fresh, links lead somewhere, tables are whole."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from belfry.cli.program import COMMANDS
from belfry.engine.events import STANDARD_EVENTS
from belfry.engine.reasons import MEANINGS, Reason

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [
    "codes.md", "commands.md", "events.md", "metrics.md", "reasons.md", "rule-keys.md",
    "sources.md", "templates.md",
]  # fmt: skip


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "generate_reference", DOCS / "generate_reference.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_list_of_pages_is_whole() -> None:
    assert sorted(generator().PAGES) == PAGES
    assert sorted(path.name for path in (DOCS / "reference").iterdir()) == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_what_the_code_says_now(name: str) -> None:
    written = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert written == generator().PAGES[name](), "stale: run `make docs`"


def test_every_command_event_and_reason_is_documented() -> None:
    for page, words in (
        ("commands.md", [f"## `belfry {name}`" for name in COMMANDS]),
        ("events.md", [f"### `{name}`" for name in STANDARD_EVENTS]),
        ("reasons.md", [f"| `{reason}` |" for reason in Reason]),
    ):
        text = (DOCS / "reference" / page).read_text(encoding="utf-8")
        assert [word for word in words if word not in text] == []
    assert set(MEANINGS) == set(Reason)


def documents() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [link for link in LINK.findall(text) if not (path.parent / link).exists()] == []


def test_every_make_target_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in documents():
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(r"`make ([a-z]+)", text))
        assert named <= targets, path.name


def test_every_make_target_explains_itself_and_sets_itself_up() -> None:
    rules = re.findall(r"^([a-z]+):(.*?)##(.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    assert sorted(name for name, _, _ in rules) == sorted(phony[1].split())
    alone = {"help", "setup", "types", "clean", "check"}  # check is made of two that set up
    alone |= {"up", "down"}  # they need containers and no environment
    assert all("setup" in needs for name, needs, _ in rules if name not in alone)


def test_every_direct_dependency_has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    text = (DOCS / "dependencies.md").read_text(encoding="utf-8")
    names = {re.split(r"[<>=\[]", one)[0] for one in wanted}
    assert {
        name for name in names if not re.search(rf"\| [^|]*\b{re.escape(name)}\b", text)
    } == set()


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((DOCS / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_glossary_and_the_changelog_are_there() -> None:
    assert "## 4. Glossary" in (DOCS / "STYLE.md").read_text(encoding="utf-8")
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
