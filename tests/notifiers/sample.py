"""One attempt, as the engine gives it out.

In: nothing. Out: `ATTEMPT`.
"""

import datetime as dt

from belfry.engine.decisions import Attempt

ATTEMPT = Attempt(
    attempt_id="a-1",
    message_id="m-1",
    customer_id="C1",
    rule="low-balance",
    key="A1",
    message_class="service",
    channel="sms",
    provider="twilio_sms",
    address="+8613800138000",
    language="zh",
    template="low_balance",
    title="Balance fell",
    values={},
    at=dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC),
    expires_at=dt.datetime(2026, 3, 2, 22, 0, tzinfo=dt.UTC),
)
