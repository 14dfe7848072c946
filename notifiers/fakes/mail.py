"""A mail relay that only pretends: speaks SMTP, keeps what it accepted, delivers nothing.

In: connections. Out: `accepted`, the mails in order; the play decides what it says.
Invariant: a mail is in the log before the relay says so, as a relay must keep what it took over.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import cast

from belfry.notifiers.fakes.play import Play

# Addresses that a relay refuses, like the magic numbers of Twilio: local part → reply.
MAGIC = {
    "unknown": "550 5.1.1 no such user",
    "full": "452 4.2.2 mailbox full",
    "slow": "451 4.7.1 greylisted, try again",
    "relay": "554 5.7.1 relaying denied",
}
SIZE_MAX = 10_000_000  # bytes of a mail


@dataclass(frozen=True, slots=True)
class Mail:
    sender: str
    recipient: str
    content: EmailMessage

    @property
    def text(self) -> str:
        body = self.content.get_body(("plain",))
        return "" if body is None else str(body.get_content())


@dataclass
class FakeRelay:
    """`replies` replaces what it says to a verb: `{"DATA": "554 spam"}`; `.` is the end of DATA."""

    play: Play = Play.ACCEPT
    replies: dict[str, str] = field(default_factory=dict)
    accepted: list[Mail] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, *, port: int = 0) -> int:
        """Listens on 127.0.0.1; returns the port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, limit=SIZE_MAX)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for task in list(self._open):
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._open.add(task)
        try:
            await self._converse(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side left, or the relay is stopped: both end the conversation
        finally:
            self._open.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender = recipient = ""
        writer.write(self._line("GREETING", "220 fake.example ESMTP"))
        while line := (await reader.readline()).decode("utf-8", "replace").strip():
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "EHLO":
                    writer.write(b"250-fake.example\r\n" + self._line("EHLO", "250 SMTPUTF8"))
                case "MAIL":
                    sender = _address(rest)
                    writer.write(self._line("MAIL", "250 2.1.0 ok"))
                case "RCPT":
                    recipient = _address(rest)
                    magic = MAGIC.get(recipient.partition("@")[0], "250 2.1.5 ok")
                    writer.write(self._line("RCPT", magic))
                case "DATA":
                    reply = self._line("DATA", "354 go on")
                    writer.write(reply)
                    if reply.startswith(b"354"):
                        content = await reader.readuntil(b"\r\n.\r\n")
                        if not await self._take(sender, recipient, content, writer):
                            return
                case "QUIT":
                    writer.write(b"221 2.0.0 bye\r\n")
                    return
                case _:
                    writer.write(b"502 5.5.1 not here\r\n")
            await writer.drain()

    async def _take(
        self, sender: str, recipient: str, content: bytes, writer: asyncio.StreamWriter
    ) -> bool:
        """False: say nothing more."""
        reply = self._line(".", "250 2.0.0 queued")
        if reply.startswith(b"250") and self.play is not Play.REFUSE:
            lines = content.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
            read = email.message_from_bytes(lines, policy=default)
            self.accepted.append(Mail(sender, recipient, read))
        match self.play:
            case Play.DROP:
                return False
            case Play.HANG:
                await asyncio.Event().wait()
            case Play.FAIL:
                writer.write(b"451 4.3.0 local error\r\n")
            case Play.REFUSE:
                writer.write(b"554 5.6.0 not wanted\r\n")
            case _:
                writer.write(reply)
        return True

    def _line(self, verb: str, usual: str) -> bytes:
        return self.replies.get(verb, usual).encode() + b"\r\n"


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
