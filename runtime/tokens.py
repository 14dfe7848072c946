"""Who may ask the embedded host for what: bearer tokens, each with its scopes.

In: `BELFRY_API_TOKEN` (all scopes) or `BELFRY_API_TOKENS`, a TOML file; either may be in a file
named by `…_FILE`. Out: whether a request may pass. Invariant: tokens are compared in constant time,
kept as digests, and shown nowhere. Without any, only this machine may ask.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import tomllib
from collections.abc import Mapping
from pathlib import Path

SCOPES: dict[str, str] = {
    "events": "send events",
    "decisions": "read decisions",
    "operate": "reload the rulebook, close the clock",
}
LENGTH_MIN = 16


class TokensRefused(ValueError):  # noqa: N818  (reads as what happened)
    """The tokens cannot be used; says why, never which."""


class Tokens:
    """`scopes_of` digests. Empty: nobody needs one."""

    def __init__(self, scopes_of: Mapping[bytes, frozenset[str]]) -> None:
        self._scopes_of = dict(scopes_of)

    def __bool__(self) -> bool:
        return bool(self._scopes_of)

    def allows(self, authorization: str, scope: str) -> bool | None:
        """True: may pass. False: a known token without that scope. None: no known token."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        given = _digest(token.strip())
        found = None
        for known, scopes in self._scopes_of.items():
            if hmac.compare_digest(known, given):
                found = scope in scopes
        return found


def read_tokens(environment: Mapping[str, str]) -> Tokens:
    """From the environment. `TokensRefused` for what would be no protection."""
    found: dict[bytes, frozenset[str]] = {}
    token = environment.get("BELFRY_API_TOKEN", "")
    named = environment.get("BELFRY_API_TOKEN_FILE", "")
    if named:
        token = Path(named).read_text(encoding="utf-8")
    if token.strip():
        found[_checked(token.strip())] = frozenset(SCOPES)
    several = environment.get("BELFRY_API_TOKENS", "")
    if several:
        found |= _several(Path(several))
    return Tokens(found)


def _several(path: Path) -> dict[bytes, frozenset[str]]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as problem:
        raise TokensRefused(f"{path}: not TOML") from problem
    found = {}
    for name, one in table.items():
        scopes = one.get("scopes") if isinstance(one, dict) else None
        if not isinstance(scopes, list) or not scopes or not set(scopes) <= set(SCOPES):
            raise TokensRefused(f"{path}: [{name}] scopes = a list of {', '.join(SCOPES)}")
        found[_checked(str(one.get("token", "")))] = frozenset(scopes)
    return found


def _checked(token: str) -> bytes:
    if len(token) < LENGTH_MIN:
        raise TokensRefused(f"an API token has at least {LENGTH_MIN} characters")
    return _digest(token)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def is_loopback(host: str) -> bool:
    """Does this address reach this machine only?"""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
