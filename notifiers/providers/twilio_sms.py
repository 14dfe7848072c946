"""SMS by Twilio: a Messaging Service for each message class, so that one STOP ends no fraud alert.

In: an attempt and its text. Out: accepted with Twilio's sid, rejected, or unknown.
Invariant: Twilio drops what waits longer than the message may still be shown. Receipts come to the
message's `callback_url`, whose signed path proves that Twilio took even what had no answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twilio.rest import Client

from belfry.notifiers.provider import Failure, Message, Rejected, Retry, Said, SettingMissing
from belfry.notifiers.providers.twilio_client import (
    TTL_S_MAX,
    TwilioApi,
    by_class,
)

BODY_MAX = 1_600  # characters; Twilio's 21617


class TwilioSms:
    """`services`: message class → Messaging Service; `service` or `from_number`: for the others."""

    def __init__(
        self, *, services: Mapping[str, str] | str = "", service: str = "", from_number: str = "",
        **account: Any,
    ) -> None:  # fmt: skip
        self.name = "twilio_sms"
        self._services = by_class(services)
        self._service, self._from_number = service, from_number
        if not (self._services or service or from_number):
            raise SettingMissing("services, service or from_number is required")
        self.api = TwilioApi(**account)

    async def send(self, message: Message) -> Said:
        sender = self._sender(message.attempt.message_class)
        if sender is None:
            return Rejected(
                Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER, raw="no sender for this class"
            )
        if len(message.text) > BODY_MAX:
            return Rejected(Failure.UNRENDERABLE, Retry.NEVER, raw=f"over {BODY_MAX} characters")
        more: dict[str, Any] = dict(sender)
        if message.ttl_s is not None:
            more["validity_period"] = max(1, min(int(message.ttl_s), TTL_S_MAX))
        if message.callback_url:
            more["status_callback"] = message.callback_url

        async def create(client: Client) -> Any:
            return await client.messages.create_async(
                to=message.attempt.address, body=message.text, **more
            )

        return await self.api.said(create)

    def _sender(self, message_class: str) -> dict[str, str] | None:
        service = self._services.get(message_class, self._service)
        if service:
            return {"messaging_service_sid": service}
        return {"from_": self._from_number} if self._from_number else None

    async def close(self) -> None:
        await self.api.close()
