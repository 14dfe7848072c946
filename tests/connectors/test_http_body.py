"""What one HTTP body holds: records, each for itself."""

import pytest

from belfry.connectors.http_body import records_of
from belfry.connectors.reasons import Rejected

NDJSON = "application/x-ndjson"


@pytest.mark.parametrize(
    ("body", "kind", "pieces"),
    [
        (b'{"a": 1}', "application/json", [b'{"a": 1}']),
        (b'{\n "a":\n 1}', "", [b'{\n "a":\n 1}']),
        (b'[{"a": 1}, {"b": 2}]', "application/json", [b'{"a": 1}', b'{"b": 2}']),
        (b'{"a": 1}\n\n{"b": 2}\r\n', "application/json", [b'{"a": 1}', b'{"b": 2}']),
        (b'{"a": 1}\n{"b": \n{"c": 3}', NDJSON, [b'{"a": 1}', b'{"b": ', b'{"c": 3}']),
        (b'{"a": 1}\n{"b": ', "", [b'{"a": 1}', b'{"b":']),
        (b"[]", "", []),
        (b'{"a": \n 1', "", [b'{"a": \n 1']),
        (b"nonsense", "", [b"nonsense"]),
    ],
)
def test_the_records_of_a_body(body, kind, pieces):
    assert records_of(body, kind) == pieces


@pytest.mark.parametrize("body", [b"", b"  \n", b"[1, 2", b"[" * 100_000])
def test_what_is_no_body_at_all(body):
    assert isinstance(records_of(body), Rejected)
