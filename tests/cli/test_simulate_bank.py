"""`belfry simulate-bank`."""

from pathlib import Path

import orjson
from click.testing import CliRunner

from belfry.cli import main


def test_a_bank_is_written_as_ndjson_and_counted(tmp_path: Path) -> None:
    out = tmp_path / "events.ndjson"
    done = CliRunner().invoke(
        main, ["simulate-bank", "--customers", "3", "--language", "en", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    lines = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    assert done.output.startswith(f"{len(lines)} events of 3 customers, 90 days:")
    assert {"customer", "account", "transaction"} <= {line["type"] for line in lines}


def test_standard_output_holds_nothing_but_events() -> None:
    done = CliRunner().invoke(main, ["simulate-bank", "--customers", "1", "--out", "-"])
    assert all(orjson.loads(line) for line in done.stdout_bytes.splitlines())


def test_a_size_that_makes_no_sense_is_a_usage_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["simulate-bank", "--customers", "0", "--out", "x"])
    assert done.exit_code == 2
