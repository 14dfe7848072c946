"""Banks for this folder's tests; lets its modules import each other in every mode of pytest."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def banks(tmp_path):
    """Makes hosts on files of their own, and closes them."""
    from embedded_bank import Bank

    made = []

    def make(program=None, **options):
        made.append(Bank(tmp_path / f"bank{len(made)}.db", program, **options))
        return made[-1]

    yield make
    for bank in made:
        bank.store.close()
