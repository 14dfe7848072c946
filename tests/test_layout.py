"""House rules that a program can check. The lists of exceptions are empty, and may only stay so."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHIPPED = ("cli", "connectors", "engine", "notifiers", "runtime")
FOLDERS = (*SHIPPED, "bench", "docs", "tests")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
LINES_MAX = 400
FUNCTION_LINES_MAX = 60
COLUMNS_MAX = 100

# Path → lines, for what is longer for a reason. A file may leave this table, none may enter it.
LONG_FILES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def trees(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for path in SOURCES:
        name = name_of(path)
        if name.startswith(tuple(f"{folder}/" for folder in folders)):
            yield name, ast.parse(path.read_text(encoding="utf-8"), name)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_is_longer_than_one_can_read_at_a_sitting() -> None:
    lines = {name_of(path): len(path.read_bytes().splitlines()) for path in SOURCES}
    too_long = {name: count for name, count in lines.items() if count > LINES_MAX}
    assert too_long == LONG_FILES


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = {
        f"{name}:{node.name}": node.end_lineno - node.lineno + 1
        for name, tree in trees(*FOLDERS)
        for node in functions(tree)
        if node.end_lineno is not None and node.end_lineno - node.lineno >= FUNCTION_LINES_MAX
    }
    assert too_long == LONG_FUNCTIONS


def test_every_module_starts_with_its_contract() -> None:
    """What goes in, what comes out; a package's own file and a command may say it in one line."""
    silent = [
        name
        for name, tree in trees(*SHIPPED)
        if not (said := ast.get_docstring(tree))
        or ("Out:" not in said and not name.startswith("cli/") and "__init__" not in name)
    ]
    assert silent == []


VAGUE = {"base", "helper", "helpers", "manager", "managers", "util", "utils"}


def is_vague(name: str) -> bool:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_")
    return not VAGUE.isdisjoint(words)


def test_no_module_or_class_is_named_after_nothing() -> None:
    modules = [name for name, _ in trees(*FOLDERS) if is_vague(Path(name).stem)]
    classes = [
        f"{name}:{node.name}"
        for name, tree in trees(*FOLDERS)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and is_vague(node.name)
    ]
    assert modules + classes == []


@pytest.mark.parametrize("name", ["CustomerManager", "text_utils", "BaseGate", "helpers", "Util"])
def test_the_check_of_names_can_fail(name: str) -> None:
    assert is_vague(name)


@pytest.mark.parametrize("name", ["database", "Baseline", "utilisation", "Rulebook"])
def test_the_check_of_names_knows_words_from_their_parts(name: str) -> None:
    assert not is_vague(name)


# Beside import-linter's list: what needs no import, or hides in a module that is allowed.
IMPURE_CALLS = {
    "__import__", "breakpoint", "input", "open", "print",
    "now", "today", "utcnow", "uuid1", "uuid4", "import_module",
}  # fmt: skip
IMPURE_MODULES = {
    "aiokafka", "asyncio", "builtins", "faust", "http", "importlib", "io", "logging", "os",
    "pathlib", "random", "redis", "secrets", "shutil", "socket", "sqlite3", "subprocess", "sys",
    "tempfile", "threading", "time", "urllib",
}  # fmt: skip


def impurities(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called)):
                if called in IMPURE_CALLS:
                    yield f"line {node.lineno}: {called}()"
            case ast.Import(names=names):
                yield from (
                    f"line {node.lineno}: import {one.name}"
                    for one in names
                    if one.name.partition(".")[0] in IMPURE_MODULES
                )
            case ast.ImportFrom(module=str(module)):
                if module.partition(".")[0] in IMPURE_MODULES:
                    yield f"line {node.lineno}: from {module}"
            case _:
                pass


def test_the_engine_has_no_clock_no_randomness_and_no_doors() -> None:
    found = [
        f"{name} {impurity}" for name, tree in trees("engine") for impurity in impurities(tree)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line", ["dt.datetime.now()", "import time", "from os import path", "open('x')", "print(1)"]
)
def test_the_check_of_purity_can_fail(line: str) -> None:
    assert list(impurities(ast.parse(line)))


def test_tests_neither_wait_nor_replace_our_own_code() -> None:
    def offences(tree: ast.Module) -> Iterator[str]:
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(attr="sleep") | ast.Name(id="sleep")):
                    yield "sleep"
                case ast.ImportFrom(module="unittest.mock") | ast.Attribute(attr="mock"):
                    yield "mock"
                case _:
                    pass

    assert [f"{name}: {one}" for name, tree in trees("tests") for one in offences(tree)] == []


TEXTS = {
    ".cfg", ".css", ".html", ".json", ".lock", ".md", ".ndjson", ".py", ".sh", ".svg", ".toml",
    ".txt", ".yaml", ".yml", "",
}  # fmt: skip
NOT_OURS = {
    ".git", ".hypothesis", ".import_linter_cache", ".mypy_cache", ".pytest_cache", ".ruff_cache",
    ".typing", ".venv", "__pycache__", "build", "dist", "out",
}  # fmt: skip


def texts() -> Iterator[tuple[str, str]]:
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if NOT_OURS.intersection(parts) or any(part.endswith(".egg-info") for part in parts):
            continue
        if path.is_file() and path.suffix in TEXTS and not path.is_symlink():
            yield name_of(path), path.read_text(encoding="utf-8", errors="replace")


SECRETS = {
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "cloud key": re.compile(r"\b(?:AKIA|LTAI)[0-9A-Za-z]{12,}\b"),
    "account id of a provider": re.compile(r"\bAC[0-9a-f]{32}\b"),
    "token": re.compile(r"\b(?:ghp|gho|glpat|xox[abp]|sk_live)[_-][0-9A-Za-z_-]{16,}\b"),
    "password in a URL": re.compile(r"\b[a-z]+://[^/\s:@\"'{}<>]+:[^/\s:@\"'{}<>]+@"),
    "a machine's own path": re.compile(r"/(?:root|home/[a-z]+|work|Users)/[a-z.]"),
}


def test_no_secret_and_no_machines_own_path_is_in_the_repository() -> None:
    found = [
        f"{name}: {what}: {hit[0]}"
        for name, text in texts()
        for what, pattern in SECRETS.items()
        for hit in pattern.finditer(text)
    ]
    assert found == []


def test_the_lock_files_name_no_registry_and_pin_every_package_with_hashes() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / lock).read_text(encoding="utf-8")
        assert "://" not in text, lock
        entries = re.split(r"\n(?=\S)", text.strip())
        assert all("==" in one and "--hash=sha256:" in one for one in entries if one[0] != "#")


def test_both_locks_pin_the_same_versions_and_cover_every_direct_dependency() -> None:
    def pins(lock: str) -> dict[str, str]:
        text = (ROOT / lock).read_text(encoding="utf-8")
        return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))

    run, develop = pins("requirements.lock"), pins("requirements-dev.lock")
    assert run.items() <= develop.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for wanted, lock in (
        (project["project"]["dependencies"], run),
        (project["dependency-groups"]["dev"], develop),
    ):
        names = {re.split(r"[<>=\[]", one)[0].lower() for one in wanted}
        assert names <= lock.keys()
