"""Chromium without a window, driven through the DevTools protocol over a pair of pipes. It needs no package."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

_WAIT = 60.0
_CODES = {"Enter": 13, "Escape": 27, "End": 35, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}


def chromium() -> str:
    """The command of Chromium. Skips the test where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("Chromium is not installed")
    return found


class Browser:
    """One page. A context manager. `told` collects what its console, its scripts and its policy complain about."""

    def __init__(self, profile: Path, width: int = 1280, height: int = 800, dark: bool = False):
        self._profile, self._size, self._dark = profile, (width, height), dark
        self.told: list[str] = []
        self._number, self._rest = 0, b""

    def __enter__(self) -> Self:
        # Chromium reads messages from descriptor 3 and writes them to 4, each ended by a NUL.
        reads, self._out = os.pipe()
        self._in, writes = os.pipe()

        def place() -> None:
            os.dup2(os.dup(reads), 3)
            os.dup2(os.dup(writes), 4)

        command = [
            chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--hide-scrollbars", f"--user-data-dir={self._profile}", f"--window-size={self._size[0]},{self._size[1]}",
            "--remote-debugging-pipe", "about:blank",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(reads)
        os.close(writes)
        targets = self._send("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self._send("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=self._size[0], height=self._size[1], deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        if self._dark:
            self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._out)
        os.close(self._in)

    def send(self, method: str, **parameters: Any) -> Any:
        """The answer of the page to a command."""
        return self._send(method, self._session, **parameters)

    def _send(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not select.select([self._in], [], [], _WAIT)[0]:
                raise TimeoutError("Chromium does not answer")
            more = os.read(self._in, 1 << 20)
            if not more:
                raise EOFError("Chromium has ended")
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(line))

    def _note(self, event: dict[str, Any]) -> None:
        given = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            details = given["exceptionDetails"]
            self.told.append(details.get("exception", {}).get("description") or details["text"])
        elif event.get("method") == "Runtime.consoleAPICalled" and given["type"] in ("error", "warning"):
            self.told.append(str([each.get("value") for each in given["args"]]))
        elif event.get("method") == "Log.entryAdded" and given["entry"]["level"] in ("error", "warning"):
            self.told.append(given["entry"]["text"])

    def open(self, address: str) -> None:
        """Go to an address, and wait until the page says how many pictures it shows."""
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=address)
        self.until("document.getElementById('shown')?.textContent.includes(' of ')")

    def ask(self, expression: str) -> Any:
        """The value of an expression, or of its promise, as JSON data."""
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']['exception'].get('description')}")
        return answer["result"].get("value")

    def until(self, expression: str) -> Any:
        """The value of an expression as soon as it is true. An element is no value; ask whether it is there."""
        end = time.monotonic() + _WAIT
        while time.monotonic() < end:
            if value := self.ask(expression):
                return value
            time.sleep(0.02)
        raise TimeoutError(f"{expression} stays false; the page says: {self.told}")

    def until_told(self) -> None:
        """Wait for a complaint. It comes by another way than the answers, perhaps after them."""
        end = time.monotonic() + _WAIT
        while not self.told:
            if time.monotonic() > end:
                raise TimeoutError("the page complains of nothing")
            self.ask("1")
            time.sleep(0.02)

    def key(self, name: str) -> None:
        """Press a key, by its name in KeyboardEvent.key."""
        text = {"text": "\r" if name == "Enter" else name} if len(name) == 1 or name == "Enter" else {}
        given = {"key": name, "code": name, "windowsVirtualKeyCode": _CODES.get(name, 0)}
        self.send("Input.dispatchKeyEvent", type="keyDown", **given, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", **given)

    def drag(self, *points: tuple[float, float]) -> None:
        """Press the mouse at the first point, go through the others, and let go at the last."""
        kinds = ["mousePressed", *["mouseMoved"] * (len(points) - 1), "mouseReleased"]
        for kind, (x, y) in zip(kinds, [*points, points[-1]], strict=True):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def box(self, selector: str) -> tuple[float, float, float, float]:
        """Left, top, width and height of an element in pixels of the window."""
        found = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        return tuple(self.ask(f"(b => [b.x, b.y, b.width, b.height])({found})"))

    def screenshot(self) -> bytes:
        """The window as a PNG file."""
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])
