"""Chromium without a window, told what to do through two pipes: the DevTools protocol needs no library."""

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

COMMAND = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no way out of this machine
    *(("--no-sandbox",) if os.geteuid() == 0 else ()),
)
PATIENCE_SECONDS = 60


class Browser:
    """One page, everything it has asked for, said, and complained about."""

    def __init__(self, commands: BinaryIO, answers: BinaryIO) -> None:
        self._commands, self._answers, self._last = commands, answers, 0
        self._session: dict[str, str] = {}
        self.requested: list[str] = []
        self.said: list[str] = []
        self.complaints: list[str] = []
        target = self._do("Target.createTarget", url="about:blank")["targetId"]
        session = self._do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._session = {"sessionId": session}
        for domain in ("Runtime", "Log", "Network", "Page"):
            self._do(f"{domain}.enable")

    def forget(self) -> None:
        """Begin anew with what was asked for, said and complained about."""
        self.requested.clear()
        self.said.clear()
        self.complaints.clear()

    def open(self, url: str) -> None:
        """Go to another page."""
        self._do("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of a script's last expression, waited for when it is a promise."""
        asked = {"expression": script, "returnByValue": True, "awaitPromise": True}
        return self._do("Runtime.evaluate", **asked)["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until a script's value is true."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.run(script):
            assert time.monotonic() < deadline, (script, self.complaints)
            time.sleep(0.1)

    def _do(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        command = {"id": self._last, "method": method, "params": parameters, **self._session}
        self._commands.write(json.dumps(command).encode() + b"\0")
        self._commands.flush()
        while (message := self._next()).get("id") != self._last:
            self._note(message)
        assert "error" not in message, (method, message)
        return dict(message["result"])

    def _next(self) -> dict[str, Any]:
        received = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            assert byte, "the browser has gone"
            received += byte
        return dict(json.loads(received))

    def _note(self, event: dict[str, Any]) -> None:
        match event:
            case {"method": "Network.requestWillBeSent", "params": {"request": {"url": url}}}:
                self.requested.append(url)
            case {"method": "Log.entryAdded", "params": {"entry": {"level": "error" | "warning", "text": text}}}:
                self.complaints.append(text)
            case {"method": "Runtime.consoleAPICalled", "params": {"type": "log", "args": values}}:
                self.said.append(" ".join(str(value.get("value")) for value in values))
            case {"method": "Runtime.consoleAPICalled", "params": {"type": "error" | "warning", "args": values}}:
                self.complaints.append(str(values))
            case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": details}}:
                self.complaints.append(str(details))


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with a profile of its own; it ends with the block."""
    assert COMMAND
    profile = tempfile.mkdtemp(prefix="routiq-browser-")
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    wired = [(os.POSIX_SPAWN_DUP2, theirs_in, 3), (os.POSIX_SPAWN_DUP2, theirs_out, 4)]
    quiet = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
    command = [COMMAND, *OPTIONS, f"--user-data-dir={profile}"]
    process = os.posix_spawn(COMMAND, command, os.environ, file_actions=[*wired, quiet], setpgroup=0)
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        with os.fdopen(ours_out, "wb") as commands, os.fdopen(ours_in, "rb") as answers:
            yield Browser(commands, answers)
    finally:
        os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)
        shutil.rmtree(Path(profile), ignore_errors=True)
