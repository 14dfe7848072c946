"""`belfry fake-providers` as somebody would use it."""

import json
import signal
import subprocess
import sys
import urllib.request


def test_the_fakes_run_take_messages_and_say_what_they_took() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "from belfry.cli import main; main()", "fake-providers",
         "--listen", "127.0.0.1:0", "--only", "twilio"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout is not None
            name, url = process.stdout.readline().split()
            send = urllib.request.Request(
                f"{url}/2010-04-01/Accounts/AC1/Messages.json",
                b"To=%2B420123456789&From=%2B15005550006&Body=hello",
                {"Authorization": "Basic QUMxOnNlY3JldA=="},
            )
            with urllib.request.urlopen(send, timeout=10) as reply:
                sid = json.loads(reply.read())["sid"]
            with urllib.request.urlopen(f"{url}/_fake/accepted", timeout=10) as reply:
                accepted = json.loads(reply.read())
        finally:
            process.send_signal(signal.SIGINT)
    assert name == "twilio"
    assert [(one["sid"], one["Body"]) for one in accepted] == [(sid, "hello")]
