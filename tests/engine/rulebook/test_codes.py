"""Codes are stable, documented, and each has one meaning."""

import re
from pathlib import Path

from belfry.engine.rulebook import codes

ENGINE = Path(codes.__file__).parent.parent


def used() -> set[str]:
    texts = (path.read_text(encoding="utf-8") for path in ENGINE.rglob("*.py")
             if path.name != "codes.py")  # fmt: skip
    return {code for text in texts for code in re.findall(r'"(B[0-9]{3})"', text)}


def test_every_code_that_a_fault_can_have_is_explained() -> None:
    assert used() - set(codes.CODES) == set()


def test_no_code_is_explained_that_no_fault_has() -> None:
    assert set(codes.CODES) - used() == set()


def test_codes_stand_in_order() -> None:
    assert list(codes.CODES) == sorted(codes.CODES)
