"""The content of nodes as a hash: comments, layout and quotes are no part of it.

In: nodes. Out: 16 hexadecimal digits; equal content gives equal digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from belfry.engine.rulebook.yaml_nodes import END, LIST, MAP, ListNode, Node, TextNode


def content_hash(node: Node) -> str:
    """The hash of one node; that of a file's root was written down while it was read."""
    return hash_of(node.source.content if node is node.source.root else content_of(node))


def content_of(node: Node) -> str:
    """All texts in order, with marks where mappings and lists begin and end."""
    written: list[str] = []
    pending: list[Node | str] = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            written.append(one)
        elif isinstance(one, TextNode):
            written.append(one.value)
        elif isinstance(one, ListNode):
            written.append(LIST)
            pending.extend((END, *reversed(one.items)))
        else:
            written.append(MAP)
            pending.append(END)
            for key, value in reversed(one.items):
                pending.extend((value, key))
    return "\0".join(written)


def hash_of(text: str) -> str:
    """16 hexadecimal digits of SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def hash_of_all(texts: Iterable[str]) -> str:
    """The hash of a bag of texts: their order is no part of it."""
    return hash_of("\0".join(sorted(texts)))
