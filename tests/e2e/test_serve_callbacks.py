"""A message by SMS and what comes back: a real server, a fake Twilio, signed callbacks."""

import asyncio
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime

import pytest
from live_server import Server
from twilio.request_validator import RequestValidator

from belfry.notifiers.fakes.twilio import FakeTwilio

RULES = {
    "login.yaml": "rule: login\nevent: login\n"
    "notify: {class: security, template: t, channels: [sms]}\n",
    "policies/bank.yaml": "bank: {time_zone: UTC, language: en}\n",
    "policies/channels.yaml": "channels:\n  sms: {contact: mobile, providers: [twilio_sms]}\n",
    "templates/t/en.sms.txt": "A login",
}
NOW = datetime.now(UTC).isoformat()
TOKEN = "the-token-of-the-account"
PHONE = "+420601123456"
PATIENCE_S = 30


class World:
    """Server and fake; the fake lives in a loop of its own thread."""

    def __init__(self, folder):
        for name, text in RULES.items():
            (folder / "rules" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "rules" / name).write_text(text)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.fake = FakeTwilio(auth_token=TOKEN)
        self.fake.copies = 2
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.public_url = f"http://127.0.0.1:{port}"
        self.server = Server(
            folder / "bank.db", "--listen", f"127.0.0.1:{port}", rules=folder / "rules",
            BELFRY_PUBLIC_URL=self.public_url, BELFRY_PROVIDER_TWILIO_SMS_ACCOUNT_SID="AC1",
            BELFRY_PROVIDER_TWILIO_SMS_AUTH_TOKEN=TOKEN, BELFRY_PROVIDER_TWILIO_SMS_SERVICE="MG1",
            BELFRY_PROVIDER_TWILIO_SMS_BASE_URL=self.run(self.fake.start()),
        )  # fmt: skip

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_S)

    def end(self):
        self.server.stop()
        self.run(self.fake.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def call(self, path, form, *, token=TOKEN, signed_url=""):
        """The status of a callback that is signed with this token."""
        url = self.public_url + path
        signature = RequestValidator(token).compute_signature(signed_url or url, form)
        body = urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(url, body, {"X-Twilio-Signature": signature})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
                return reply.status
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code

    def counted(self, name):
        lines = self.server.text("/metrics").splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    def until(self, ask):
        pause = threading.Event()
        for _ in range(PATIENCE_S * 50):
            if ask():
                return True
            pause.wait(0.02)
        return False


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("callbacks"))
    facts = {"type": "contact", "id": "c", "time": NOW, "customer_id": "C/1", "kind": "mobile",
             "address": PHONE, "verified": True, "primary": True}  # fmt: skip
    login = {"type": "login", "id": "l-1", "time": NOW, "customer_id": "C/1"}
    made.server.post("/v1/events", [facts, login])
    yield made
    made.end()


def test_receipts_come_back_signed_and_count_once(world):
    assert world.until(lambda: len(world.fake.told) == 4)
    assert world.fake.told == [("sent", 204), ("sent", 204), ("delivered", 204), ("delivered", 204)]
    assert [one["Body"] for one in world.fake.accepted] == ["A login"]
    assert world.counted('belfry_callbacks_total{outcome="no_news"}') == 2
    assert world.counted('belfry_callbacks_total{outcome="receipt"}') == 2
    assert world.counted('belfry_events_applied_total{type="receipt"}') == 1


@pytest.mark.parametrize(
    "wrong", [{"token": "another"}, {"signed_url": "http://127.0.0.1/v1/callbacks/twilio/C1/other"}]
)
def test_a_foreign_signature_is_refused_and_counted(world, wrong):
    before = world.counted('belfry_callbacks_total{outcome="refused"}')
    form = {"MessageStatus": "delivered"}
    assert world.call("/v1/callbacks/twilio/C1/a-1", form, **wrong) == 403
    assert world.counted('belfry_callbacks_total{outcome="refused"}') == before + 1


def test_a_body_too_large_is_refused_before_it_is_read(world):
    assert world.call("/v1/callbacks/twilio/C1/a-1", {"MessageStatus": "x" * 20_000}) == 413


def test_a_word_that_we_do_not_know_is_counted_and_no_news(world):
    applied = world.counted('belfry_events_applied_total{type="receipt"}')
    assert world.call("/v1/callbacks/twilio/C1/a-1", {"MessageStatus": "beamed"}) == 204
    assert world.counted('belfry_callbacks_total{outcome="unknown_word"}') == 1
    assert world.counted('belfry_events_applied_total{type="receipt"}') == applied


def test_a_stop_is_a_consent_of_whoever_has_the_number(world):
    form = {"From": PHONE, "Body": "Odhlásit", "MessageSid": "SM1"}
    for _ in range(2):
        assert world.call("/v1/callbacks/twilio/inbound", form) == 200
    assert world.counted('belfry_events_applied_total{type="consent"}') == 1


def test_a_stop_of_nobodys_number_is_kept_in_quarantine(world):
    form = {"From": "+420999999999", "Body": "STOP", "MessageSid": "SM2"}
    assert world.call("/v1/callbacks/twilio/inbound", form) == 200
    assert world.counted('belfry_events_rejected_total{reason="no_subject"}') == 1


def test_any_other_text_is_no_consent(world):
    form = {"From": PHONE, "Body": "thank you", "MessageSid": "SM3"}
    assert world.call("/v1/callbacks/twilio/inbound", form) == 200
    assert world.counted('belfry_callbacks_total{outcome="other_text"}') == 1
