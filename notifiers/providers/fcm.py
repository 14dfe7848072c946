"""Push to Android (and what FCM passes on): HTTP v1, one message a call.

In: an attempt and its text; the contact is the registration token. Out: FCM's name of the message.
Invariant: a repeat carries the same tag and replaces what it repeats; nothing outlives its TTL.
Source: firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode; facts/delivery.md 2.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx2
import orjson
from google.auth import crypt, jwt

from belfry.notifiers.provider import (
    Accepted,
    Failure,
    Message,
    Rejected,
    Retry,
    Said,
    Unknown,
)
from belfry.notifiers.wire import CONNECTIONS_MAX, Reply, post, word_of

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
BASE_URL = "https://fcm.googleapis.com"
PAYLOAD_MAX = 4_096  # bytes, FCM's limit
TTL_S_MAX = 2_419_200  # 28 days, FCM's limit and default
TOKEN_LIFE_S = 3_600
TOKEN_MARGIN_S = 300  # a token is renewed before it can expire under way
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
URGENT = frozenset(("security", "regulatory", "service"))

# FCM's own word (`errorCode` of FcmError) → ours.
ERRORS = {
    "UNREGISTERED": Rejected(Failure.INVALID_ADDRESS, Retry.NEVER),
    "INVALID_ARGUMENT": Rejected(Failure.INVALID_ADDRESS, Retry.NEVER),
    # The token is of another project: ours may be set wrongly, so no address is given up.
    "SENDER_ID_MISMATCH": Rejected(Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "THIRD_PARTY_AUTH_ERROR": Rejected(Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "QUOTA_EXCEEDED": Rejected(Failure.RATE_LIMITED, Retry.SAME_PROVIDER),
    "UNAVAILABLE": Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER),
    "INTERNAL": Unknown(Failure.UNAVAILABLE),
}
# Google's word (`error.status`), where FCM itself did not speak.
STATUSES = {
    "INVALID_ARGUMENT": Rejected(Failure.REFUSED, Retry.NEVER),
    "UNAUTHENTICATED": Rejected(Failure.NOT_CONFIGURED, Retry.SAME_PROVIDER),
    "PERMISSION_DENIED": Rejected(Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "NOT_FOUND": Rejected(Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "RESOURCE_EXHAUSTED": Rejected(Failure.RATE_LIMITED, Retry.SAME_PROVIDER),
}


class Fcm:
    """`account`: the service account's JSON, as Google gives it out. Its `token_uri` is used."""

    def __init__(
        self,
        *,
        account: Mapping[str, str],
        base_url: str = BASE_URL,
        timeout_s: float = 10.0,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self.name = "fcm"
        self._account = account
        self._signer = crypt.RSASigner.from_service_account_info(account)  # type: ignore[no-untyped-call]
        self._url = f"{base_url}/v1/projects/{account['project_id']}/messages:send"
        self._timeout_s = timeout_s
        self._tls_context = tls_context
        self._client: httpx2.AsyncClient | None = None
        self._token = ""
        self._token_until = 0.0
        self._renewing = asyncio.Lock()

    async def send(self, message: Message) -> Said:
        content = payload(message)
        if len(content) > PAYLOAD_MAX:
            return Rejected(Failure.UNRENDERABLE, Retry.NEVER, raw="more than 4096 bytes")
        token = await self._bearer(message)
        if not isinstance(token, str):
            return token
        reply = await post(
            self._opened(),
            self._url,
            content=content,
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
            timeout_s=self._timeout_s,
        )
        if not isinstance(reply, Reply):
            return reply
        if reply.status == httpx2.codes.UNAUTHORIZED and self._token == token:
            self._token = ""
        return answer(reply)

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    def _opened(self) -> httpx2.AsyncClient:
        if self._client is None:
            self._client = httpx2.AsyncClient(
                http2=True,
                verify=self._tls_context or ssl.create_default_context(),
                trust_env=False,
                timeout=self._timeout_s,
                limits=httpx2.Limits(max_connections=CONNECTIONS_MAX),
            )
        return self._client

    async def _bearer(self, message: Message) -> str | Rejected:
        """The token, renewed by one call for all that wait. Its failure is a sure no."""
        now = asyncio.get_running_loop().time
        async with self._renewing:
            if self._token and now() < self._token_until:
                return self._token
            asked_at = now()
            reply = await self._grant(message)
            if not isinstance(reply, Reply):
                # Unknown whether Google heard the question; the message itself is not sent.
                return Rejected(reply.failure, Retry.SAME_PROVIDER, raw=f"token: {reply.raw}")
            told = _json(reply.body)
            token, life_s = told.get("access_token"), told.get("expires_in", TOKEN_LIFE_S)
            if reply.status != httpx2.codes.OK or not isinstance(token, str):
                raw = f"token: {reply.status} {word_of(told.get('error'))}".strip()
                if reply.status >= 500 or reply.status == httpx2.codes.TOO_MANY_REQUESTS:
                    return Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER, raw=raw)
                return Rejected(Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER, raw=raw)
            self._token = token
            life_s = life_s if isinstance(life_s, int | float) else TOKEN_LIFE_S
            self._token_until = asked_at + max(life_s - TOKEN_MARGIN_S, 0)
            return token

    async def _grant(self, message: Message) -> Reply | Rejected | Unknown:
        issued_at = int(message.at.timestamp())
        claims = {
            "iss": self._account["client_email"],
            "scope": SCOPE,
            "aud": self._account["token_uri"],
            "iat": issued_at,
            "exp": issued_at + TOKEN_LIFE_S,
        }
        assertion: bytes = jwt.encode(self._signer, claims)  # type: ignore[no-untyped-call]
        return await post(
            self._opened(),
            self._account["token_uri"],
            content=urlencode({"grant_type": GRANT, "assertion": assertion}).encode(),
            headers={"content-type": "application/x-www-form-urlencoded"},
            timeout_s=self._timeout_s,
        )


def payload(message: Message) -> bytes:
    attempt = message.attempt
    ttl_s = TTL_S_MAX if message.ttl_s is None else min(int(message.ttl_s), TTL_S_MAX)
    return orjson.dumps({
        "message": {
            "token": attempt.address,
            "notification": {"title": attempt.title, "body": message.text},
            "data": {"message_id": attempt.message_id, "attempt_id": attempt.attempt_id},
            "android": {
                "ttl": f"{max(ttl_s, 0)}s",
                "priority": "HIGH" if attempt.message_class in URGENT else "NORMAL",
                # FCM has no idempotency key: a repeat replaces, waiting (key) and shown (tag).
                "collapse_key": attempt.message_id,
                "notification": {"tag": attempt.message_id},
            },
        }
    })  # fmt: skip


def answer(reply: Reply) -> Said:
    told = _json(reply.body)
    if 200 <= reply.status < 300:
        name = told.get("name")
        if isinstance(name, str):
            return Accepted(provider_ref=name)
        return Unknown(Failure.UNAVAILABLE, raw=f"{reply.status} without a name")
    error = told.get("error")
    error = error if isinstance(error, dict) else {}
    word, status = _fcm_word(error), word_of(error.get("status"))
    raw = " ".join(one for one in (str(reply.status), word or status) if one)
    known = ERRORS.get(word) if word else STATUSES.get(status)
    match known:
        case Rejected(failure=failure, retry=retry):
            return Rejected(failure, retry, raw=raw)
        case Unknown(failure=failure):
            return Unknown(failure, raw=raw)
        case _ if reply.status >= 500:
            return Unknown(Failure.UNAVAILABLE, raw=raw)
        case _:
            return Rejected(Failure.REFUSED, Retry.OTHER_PROVIDER, raw=raw)


def _fcm_word(error: Mapping[str, Any]) -> str:
    details = error.get("details")
    for one in details if isinstance(details, list) else []:
        if isinstance(one, dict) and one.get("@type") == FCM_ERROR:
            return word_of(one.get("errorCode"))
    return ""


def _json(body: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
