"""SMS by Aliyun (dysmsapi 2017-05-25), for banks in mainland China: templates, not texts.

In: an attempt and its values. Out: accepted with Aliyun's BizId, rejected, or unknown.
Invariant: OutId is the attempt's id, so that a receipt finds it. The nonce is derived from it:
the same attempt cannot be taken twice within Aliyun's 15 minutes. The signature is the SDK's;
its transport is not used: it opens a TLS session a call and has no total timeout.
Source: https://help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2017-05-25-sendsms
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import httpx2
import msgspec
from alibabacloud_tea_openapi.utils import Utils

from belfry.engine.rulebook.model import Template
from belfry.notifiers.provider import (
    Accepted,
    Failure,
    Message,
    Rejected,
    Retry,
    Said,
    SettingMissing,
    Unknown,
)
from belfry.notifiers.render import Unrenderable, render
from belfry.notifiers.wire import Reply, post

ENDPOINT = "https://dysmsapi.aliyuncs.com"
TIMEOUT_S = 10.0
ALGORITHM = "ACS3-HMAC-SHA256"
NOTHING = hashlib.sha256(b"").hexdigest()

# Aliyun's word → why, and what it allows; None: it may have been sent.
ACTIONS: dict[str, tuple[Failure, Retry] | None] = {
    "InternalError": None,
    "InvalidAccessKeyId.NotFound": (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "ServiceUnavailable": (Failure.UNAVAILABLE, Retry.SAME_PROVIDER),
    "SignatureDoesNotMatch": (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "SignatureNonceUsed": None,  # the first request with it may have been taken
    "Throttling": (Failure.RATE_LIMITED, Retry.SAME_PROVIDER),
    "Throttling.Api": (Failure.RATE_LIMITED, Retry.SAME_PROVIDER),
    "Throttling.User": (Failure.RATE_LIMITED, Retry.SAME_PROVIDER),
    "isp.RAM_PERMISSION_DENY": (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "isp.SYSTEM_ERROR": None,
    "isv.ACCOUNT_ABNORMAL": (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "isv.ACCOUNT_NOT_EXISTS": (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "isv.AMOUNT_NOT_ENOUGH": (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),  # balance of the bank
    "isv.BLACK_KEY_CONTROL_LIMIT": (Failure.REFUSED, Retry.NEVER),  # a word they do not let pass
    "isv.BUSINESS_LIMIT_CONTROL": (Failure.RATE_LIMITED, Retry.OTHER_PROVIDER),  # per number
    "isv.DAY_LIMIT_CONTROL": (Failure.RATE_LIMITED, Retry.OTHER_PROVIDER),
    "isv.DENY_IP_RANGE": (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": (Failure.REFUSED, Retry.OTHER_PROVIDER),
    "isv.INVALID_PARAMETERS": (Failure.UNRENDERABLE, Retry.NEVER),
    "isv.MOBILE_NUMBER_ILLEGAL": (Failure.INVALID_ADDRESS, Retry.NEVER),
    "isv.OUT_OF_SERVICE": (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "isv.PARAM_LENGTH_LIMIT": (Failure.UNRENDERABLE, Retry.NEVER),
    "isv.PRODUCT_UN_SUBSCRIPT": (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "isv.SMS_SIGNATURE_ILLEGAL": (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "isv.SMS_TEMPLATE_ILLEGAL": (Failure.NO_TEMPLATE, Retry.OTHER_PROVIDER),
    "isv.TEMPLATE_MISSING_PARAMETERS": (Failure.UNRENDERABLE, Retry.NEVER),
    "isv.TEMPLATE_PARAMS_ILLEGAL": (Failure.UNRENDERABLE, Retry.NEVER),
}


class AliyunTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`params`: Aliyun's variable → a template of ours over the message's values and `text`."""

    code: str
    params: dict[str, str] = {}


class AliyunSms:
    """`templates`: our template, or template.language → `{code:, params:}`; JSON if a string."""

    def __init__(
        self, *, access_key_id: str = "", access_key_secret: str = "", sign_name: str = "",
        templates: Mapping[str, Any] | str = "", base_url: str = ENDPOINT,
        timeout_s: float | str = TIMEOUT_S,
    ) -> None:  # fmt: skip
        self.name = "aliyun_sms"
        given = {
            "access_key_id": access_key_id, "access_key_secret": access_key_secret,
            "sign_name": sign_name, "templates": templates,
        }  # fmt: skip
        for name, value in given.items():
            if not value:
                raise SettingMissing(f"{name} is required")
        found = msgspec.json.decode(templates) if isinstance(templates, str) else templates
        self._templates = msgspec.convert(dict(found), dict[str, AliyunTemplate])
        self._key, self._secret = access_key_id, access_key_secret
        self._sign_name, self._url = sign_name, httpx2.URL(base_url)
        self._timeout_s = float(timeout_s)
        self._client: httpx2.AsyncClient | None = None

    async def send(self, message: Message) -> Said:
        attempt = message.attempt
        template = self._templates.get(
            f"{attempt.template}.{attempt.language}", self._templates.get(attempt.template)
        )
        if template is None:
            return Rejected(Failure.NO_TEMPLATE, Retry.OTHER_PROVIDER, raw=attempt.template)
        params = _params(template, message)
        if isinstance(params, Unrenderable):
            return Rejected(Failure.UNRENDERABLE, Retry.NEVER, raw=params.template)
        query = {
            "OutId": attempt.attempt_id,
            "PhoneNumbers": attempt.address,
            "SignName": self._sign_name,
            "TemplateCode": template.code,
            "TemplateParam": msgspec.json.encode(params).decode(),
        }
        return await self._said(query, self._headers(query, attempt.attempt_id, message.at))

    def _headers(self, query: dict[str, str], attempt_id: str, at: dt.datetime) -> dict[str, str]:
        headers = {
            "host": self._url.netloc.decode(),
            "x-acs-action": "SendSms",
            "x-acs-version": "2017-05-25",
            "x-acs-date": at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": uuid.uuid5(uuid.NAMESPACE_URL, attempt_id).hex,
            "x-acs-content-sha256": NOTHING,
        }
        request = SimpleNamespace(method="POST", pathname="/", query=query, headers=headers)
        signed = Utils.get_authorization(request, ALGORITHM, NOTHING, self._key, self._secret)
        return {**headers, "Authorization": signed}

    async def _said(self, query: dict[str, str], headers: dict[str, str]) -> Said:
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=self._timeout_s, trust_env=False)
        url = str(self._url.copy_merge_params(query))
        reply = await post(
            self._client, url, content=b"", headers=headers, timeout_s=self._timeout_s
        )
        if not isinstance(reply, Reply):
            return reply
        try:
            body = msgspec.json.decode(reply.body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            body = {}
        return said_of(reply.status, str(body.get("Code", "")), body.get("BizId"))

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def _params(template: AliyunTemplate, message: Message) -> dict[str, str] | Unrenderable:
    attempt, found = message.attempt, {}
    values = {**attempt.values, "text": message.text}
    for name, text in template.params.items():
        ours = Template(template.code, attempt.language, attempt.channel, "txt", text)
        rendered = render(ours, language=attempt.language, values=values)
        if isinstance(rendered, Unrenderable):
            return rendered
        found[name] = rendered
    return found


def said_of(status: int, word: str, reference: Any) -> Said:
    """Aliyun answers 200 also to what it refuses; its word counts, else the HTTP status."""
    word = word if re.fullmatch(r"[A-Za-z][A-Za-z._]{0,79}", word) else ""
    raw = f"{status} {word}".rstrip()
    if status == 200 and word == "OK":
        return Accepted(provider_ref=None if reference is None else str(reference))
    if word in ACTIONS:
        action = ACTIONS[word]
        if action is None:
            return Unknown(Failure.UNAVAILABLE, raw=raw)
        return Rejected(*action, raw=raw)
    if status == 429:
        return Rejected(Failure.RATE_LIMITED, Retry.SAME_PROVIDER, raw=raw)
    if (400 <= status < 500 and status != 408) or (status == 200 and word.startswith("isv.")):
        return Rejected(Failure.REFUSED, Retry.NEVER, raw=raw)
    return Unknown(Failure.UNAVAILABLE, raw=raw)
