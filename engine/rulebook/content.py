"""The content of nodes as a hash: comments, layout and quotes are no part of it.

In: nodes. Out: 16 hexadecimal digits; equal content gives equal digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from belfry.engine.rulebook.yaml_nodes import ListNode, Node, TextNode


def content_hash(node: Node) -> str:
    """The hash of one node. Lengths stand before texts, so that no two contents look the same."""
    written: list[str] = []
    pending: list[Node | str] = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            written.append(one)
        elif isinstance(one, TextNode):
            written.append(f"{len(one.value)}:{one.value}")
        elif isinstance(one, ListNode):
            pending.append("]")
            pending.extend(reversed(one.items))
            written.append("[")
        else:
            pending.append("}")
            for key, value in reversed(one.items):
                pending.append(value)
                pending.append(f"{len(key.value)}={key.value}")
            written.append("{")
    return hash_of("".join(written))


def hash_of(text: str) -> str:
    """16 hexadecimal digits of SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def hash_of_all(texts: Iterable[str]) -> str:
    """The hash of a bag of texts: their order is no part of it."""
    return hash_of("\0".join(sorted(texts)))
