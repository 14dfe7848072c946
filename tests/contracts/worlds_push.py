"""The worlds of push: one fake, over HTTP/2 with a certificate where the real one insists on it."""

import asyncio
import functools
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import serving
import trustme
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from worlds import World

from belfry.notifiers.fakes.push import FakePush
from belfry.notifiers.provider import Provider, open_provider

DEVICE = "ab" * 32


@functools.cache
def pem(kind: str) -> str:
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if kind == "ec"
        else rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@functools.cache
def vapid_key() -> str:
    lines = pem("ec").splitlines()[1:-1]
    return "".join(lines).replace("+", "-").replace("/", "_").rstrip("=")


@functools.cache
def certified() -> tuple[tuple[Path, Path], ssl.SSLContext]:
    """Certificate and key for 127.0.0.1, and a client that trusts them."""
    authority, folder = trustme.CA(), Path(tempfile.mkdtemp())
    issued = authority.issue_cert("127.0.0.1")
    chain, key = folder / "chain.pem", folder / "key.pem"
    for one in issued.cert_chain_pems:
        one.write_to_path(str(chain), append=True)
    issued.private_key_pem.write_to_path(str(key))
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return (chain, key), client


def fcm(url: str, **settings: Any) -> Provider:
    account = {
        "project_id": "bank",
        "client_email": "alerts@bank.example",
        "private_key": pem("rsa"),
        "token_uri": f"{url}/token",
    }
    return open_provider("fcm", **{"account": account, "base_url": url, "timeout_s": 2, **settings})


def apns(url: str, **settings: Any) -> Provider:
    return open_provider(
        "apns",
        **{"key": pem("ec"), "key_id": "K1", "team_id": "T1", "topic": "example.bank",
           "base_url": url, "tls_context": certified()[1], "timeout_s": 2, **settings},
    )  # fmt: skip


def webpush(url: str, **settings: Any) -> Provider:
    return open_provider(
        "webpush",
        **{"key": vapid_key(), "subject": "mailto:push@bank.example", "allow_http": True,
           "allowed_hosts": ["127.0.0.1"], "timeout_s": 2, **settings},
    )  # fmt: skip


MAKES: dict[str, Callable[..., Provider]] = {"apns": apns, "fcm": fcm, "webpush": webpush}


def url_of(kind: str, server: serving.Server) -> str:
    return f"http{'s' if kind == 'apns' else ''}://127.0.0.1:{server.port}"


def address_of(kind: str, fake: FakePush, url: str) -> str:
    return {"apns": DEVICE, "fcm": "token-of-a-phone", "webpush": fake.subscription(url)}[kind]


async def served(kind: str, fake: FakePush) -> serving.Server:
    return await serving.serve(fake.app(), certificate=certified()[0] if kind == "apns" else None)


def push_world(kind: str, folder: Path) -> World:
    runner, fake = asyncio.Runner(), FakePush()
    server = runner.run(served(kind, fake))
    url = url_of(kind, server)

    def end() -> None:
        runner.run(server.stop())
        runner.close()

    return World(
        MAKES[kind](url),
        lambda: "\n".join(one["text"] for one in fake.accepted),
        lambda: runner.run(server.stop()),
        run=runner.run,
        ends=end,
        address=address_of(kind, fake, url),
        channel="push",
    )


WORLDS: dict[str, Callable[[Path], World]] = {
    kind: functools.partial(push_world, kind) for kind in MAKES
}
