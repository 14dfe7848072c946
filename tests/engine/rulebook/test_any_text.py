"""Whatever is written, loading answers with faults, never with an exception."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from belfry.engine.faults import Severity
from belfry.engine.rulebook.load import load_rulebook

SHIPPED = Path(__file__).parents[3] / "rules"
WORDS = [
    "rule", "null", "true", "-1", "1e9", "30d", "[]", "{}", "[a, b]", "{a: b}", "''", "~", "*",
    "account", "customer.income", "lists.x", "features.x", "tier", "when", ">", "1 / 0", "(", "-",
    "2026-02-30", "25:00", "timer", "segment", "中", "\t", "#", "a: b", "!!x", "&a", "999999999w",
]  # fmt: skip


def mutated(text: str, rng: random.Random) -> str:
    lines = text.splitlines()
    for _ in range(rng.randint(1, 3)):
        row = rng.randrange(len(lines))
        parts = lines[row].split(" ")
        place = rng.randrange(len(parts))
        match rng.randrange(4):
            case 0:
                parts[place] = rng.choice(WORDS)
            case 1:
                parts[place] += rng.choice(WORDS)
            case 2:
                del parts[place]
            case _:
                parts[place] = parts[place][: len(parts[place]) // 2]
        lines[row] = " ".join(parts)
    return "\n".join(lines)


def check(files: dict[str, bytes]) -> None:
    book, faults = load_rulebook(files)
    assert (book is None) == any(fault.severity is Severity.ERROR for fault in faults)
    for fault in faults:
        assert fault.place.line >= 1
        assert fault.place.column >= 1
        assert fault.width >= 1
        assert fault.message


@pytest.mark.parametrize("seed", range(25))
def test_a_spoilt_rulebook_is_refused_in_words(seed: int) -> None:
    rng = random.Random(seed)
    files = {
        path.relative_to(SHIPPED).as_posix(): path.read_bytes()
        for path in sorted(SHIPPED.rglob("*.yaml"))
    }
    for path in rng.sample(sorted(files), 5):
        files[path] = mutated(files[path].decode(), rng).encode()
    check(files)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_answered_with_faults(raw: bytes) -> None:
    check({"a/x.yaml": raw, "templates/t/en.sms.txt": raw, "lists/l.yaml": raw})


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_any_text_as_a_condition_is_answered_with_faults(text: str) -> None:
    quoted = text.replace("'", "''")
    check({"x.yaml": f"rule: x\nevent: login\nwhen: '{quoted}'\ntask: {{role: a}}\n".encode(
        "utf-8", "surrogatepass")})  # fmt: skip
