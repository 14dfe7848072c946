"""YAML that could hurt is refused, YAML that surprises is read as written."""

import pytest

from belfry.engine.rulebook.content import content_hash, content_of
from belfry.engine.rulebook.yaml_nodes import (
    BYTES_MAX,
    DEPTH_MAX,
    NODES_MAX,
    ListNode,
    MapNode,
    TextNode,
    read_yaml,
)


def first_fault(raw: bytes) -> tuple[str, int, int]:
    root, faults = read_yaml("x.yaml", raw)
    assert faults, root
    return faults[0].code, faults[0].place.line, faults[0].place.column


def values(raw: bytes) -> dict[str, str]:
    root, faults = read_yaml("x.yaml", raw)
    assert not faults
    assert isinstance(root, MapNode)
    return {key.value: node.value for key, node in root.items if isinstance(node, TextNode)}


LAUGHS = b"a: &a [x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + i, 98 + i, b", ".join([b"*%c" % (97 + i)] * 9)) for i in range(9)
)
MERGES = b"a: &a {k: 1}\n" + b"".join(b"b%d: &b%d {<<: [*a, *a]}\n" % (i, i) for i in range(40))

HOSTILE: list[tuple[str, bytes, str, int, int]] = [
    ("billion laughs", LAUGHS, "B104", 1, 4),
    ("doubling merges", MERGES, "B104", 1, 4),
    ("a merge key", b"a:\n  <<: {b: 1}\n", "B106", 2, 3),
    ("an alias", b"a: 1\nb: *a\n", "B104", 2, 4),
    ("an anchored list", b"a: &x [1]\n", "B104", 1, 4),
    ("an object to construct", b"a: !!python/object/apply:os.system [x]\n", "B105", 1, 4),
    ("a standard tag", b"a: !!str 1\n", "B105", 1, 4),
    ("flow lists 100,000 deep", b"[" * 100_000, "B107", 1, DEPTH_MAX + 1),
    ("block lists 10,000 deep", b"- " * 10_000, "B107", 1, 2 * DEPTH_MAX + 1),
    ("more values than allowed", b"[" + b"a," * (NODES_MAX + 1) + b"]", "B108", 1, 2 * NODES_MAX),
    ("a second document", b"a: 1\n---\nb: 2\n", "B109", 2, 1),
    ("a list as key", b"? [a]\n: 1\n", "B111", 1, 3),
    ("a mapping as key", b"{{a: 1}: 2}\n", "B111", 1, 2),
    ("a NUL", b"a: 1\nb: \x00\n", "B103", 2, 4),
    ("a bell", b"a: x\x07y\n", "B103", 1, 5),
    ("Latin-1", b"a: 1\nname: Ren\xe9\n", "B101", 2, 10),
    ("UTF-16", "a: 1\n".encode("utf-16"), "B101", 1, 1),
    ("a tab as indentation", b"a:\n\tb: 1\n", "B103", 2, 1),
    ("a colon in a plain text", b"a: b: c\n", "B103", 1, 5),
    ("an open quote", b'a: "b\n', "B103", 2, 1),
    ("an open list", b"a: [1, 2\nb: 3\n", "B103", 2, 2),
    ("an unknown escape", b'a: "\\q"\n', "B103", 1, 5),
]


@pytest.mark.parametrize(
    ("raw", "code", "line", "column"),
    [row[1:] for row in HOSTILE],
    ids=[row[0] for row in HOSTILE],
)
def test_hostile_yaml_is_refused_with_its_place(
    raw: bytes, code: str, line: int, column: int
) -> None:
    assert first_fault(raw) == (code, line, column)


def test_a_file_larger_than_a_mebibyte_is_refused_unread() -> None:
    assert first_fault(b"#" * (BYTES_MAX + 1))[0] == "B102"
    assert read_yaml("x.yaml", b"#" * BYTES_MAX) == (None, [])


def test_what_is_just_within_the_bounds_is_read() -> None:
    deep = b"[" * DEPTH_MAX + b"x" + b"]" * DEPTH_MAX
    wide = b"[" + b"a," * (NODES_MAX - 2) + b"]"
    for raw in (deep, wide):
        root, faults = read_yaml("x.yaml", raw)
        assert isinstance(root, ListNode)
        assert faults == []


def test_a_refused_file_gives_one_fault_and_no_node() -> None:
    root, faults = read_yaml("x.yaml", LAUGHS)
    assert root is None
    assert len(faults) == 1


def test_a_duplicate_key_names_both_lines_and_the_first_one_stays() -> None:
    root, faults = read_yaml("x.yaml", b"a: 1\nb: 2\na: 3\n")
    assert [(fault.code, fault.place.line) for fault in faults] == [("B110", 3)]
    assert "line 1" in faults[0].message
    assert "line 3" in faults[0].message
    assert isinstance(root, MapNode)
    assert [key.value for key, _ in root.items] == ["a", "b"]


def test_all_duplicate_keys_are_reported_at_once() -> None:
    _, faults = read_yaml("x.yaml", b"a: {x: 1, x: 2}\nb: 1\nb: {y: 1, y: 2}\nb: 3\n")
    assert [fault.place.line for fault in faults] == [1, 3, 3, 4]


def test_equal_keys_of_different_mappings_are_no_duplicates() -> None:
    assert read_yaml("x.yaml", b"- {a: 1}\n- {a: 2}\n")[1] == []


@pytest.mark.parametrize(
    "text", ["NO", "yes", "on", "12:30", "12:30:45", "0123", "1e3", "1_000", "2026-02-30", "0x1F"]
)
def test_what_yaml_1_1_would_convert_stays_text(text: str) -> None:
    assert values(f"a: {text}\n".encode()) == {"a": text}


def test_on_is_a_key_like_any_other() -> None:
    assert values(b"on: 1\n") == {"on": "1"}


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    root, faults = read_yaml("x.yaml", b"\xef\xbb\xbfa: 1\n")
    assert not faults
    assert isinstance(root, MapNode)
    assert (root.items[0][0].value, root.items[0][0].column) == ("a", 1)


def test_columns_count_characters_not_bytes() -> None:
    root, _ = read_yaml("x.yaml", "{名: 值, 二: b}\n".encode())
    assert isinstance(root, MapNode)
    assert [(key.column, value.column) for key, value in root.items] == [(2, 5), (8, 11)]


@pytest.mark.parametrize("raw", [b"", b"# only this\n", b"---\n", b"null\n"])
def test_an_empty_file_is_neither_node_nor_fault(raw: bytes) -> None:
    assert read_yaml("x.yaml", raw) == (None, [])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"a: 1\nb: [x, y]\n", b'# said otherwise\n"a": "1"\nb:\n- x\n- y   # two\n'),
        (b"a: >\n  x\n  y\n", b'a: "x y\\n"\n'),
    ],
)
def test_layout_comments_and_quotes_are_no_content(one: bytes, other: bytes) -> None:
    first, second = read_yaml("x.yaml", one)[0], read_yaml("y.yaml", other)[0]
    assert first is not None
    assert second is not None
    assert content_hash(first) == content_hash(second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"a: [x, y]\n", b"a: [[x], y]\n"),
        (b"a: [x, y]\n", b"a: [y, x]\n"),
        (b"a: {b: c}\n", b"a: [b, c]\n"),
        (b"a: ''\n", b"a: []\n"),
        (b"- a\n- b\n", b"- ab\n"),
    ],
)
def test_different_contents_have_different_hashes(one: bytes, other: bytes) -> None:
    first, second = read_yaml("x.yaml", one)[0], read_yaml("x.yaml", other)[0]
    assert first is not None
    assert second is not None
    assert content_hash(first) != content_hash(second)


def test_content_written_down_while_reading_is_that_of_the_nodes() -> None:
    root, _ = read_yaml("x.yaml", b"a: {b: [1, {c: ''}], d: e}\nf: [[], {}]\n")
    assert root is not None
    assert root.source.content == content_of(root)
