"""A headless Chromium over its debugging protocol: it opens pages, and tells what they requested, logged and looked like."""

import base64
import itertools
import json
import re
import shutil
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

_OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--no-first-run", "--window-size=1280,900"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--no-proxy-server"),
)


@dataclass
class Page:
    """One tab. `requests` are the URLs that its pages asked for, websockets too; `errors` what they logged as errors."""

    socket: ClientConnection
    requests: list[str] = field(default_factory=list[str])
    failed: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    errors: list[str] = field(default_factory=list[str])
    _numbers: Any = field(default_factory=itertools.count)

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol and wait for its result."""
        number = next(self._numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv(timeout=60))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def ask(self, expression: str) -> Any:
        """The value of an expression of JavaScript on the page; that of a promise, once it has one."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self) -> str:
        """What a person reads on the page."""
        return str(self.ask("document.body ? document.body.innerText : ''"))

    def open(self, url: str, shows: str, *, seconds: float = 90) -> str:
        """Open a page, and wait until it shows this text."""
        self.call("Page.navigate", url=url)
        return self.wait_for(shows, seconds=seconds)

    def wait_for(self, shows: str, *, seconds: float = 90) -> str:
        """Wait until the page shows this text."""
        deadline = time.monotonic() + seconds
        while shows not in (text := self.text()):
            assert time.monotonic() < deadline, text
            time.sleep(0.05)
        return text

    def wait_until(self, expression: str, *, seconds: float = 90) -> None:
        """Wait until an expression of JavaScript is true on the page."""
        deadline = time.monotonic() + seconds
        while not self.ask(f"Boolean({expression})"):
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        """Click the middle of the first element, as a mouse does: it works without JavaScript on the page."""
        at = self.ask(  # by one expression, because the nodes of a page that is still loading are replaced
            f"(() => {{ const element = document.querySelector({json.dumps(selector)}); if (!element) return null; "
            "element.scrollIntoView({block: 'center', behavior: 'instant'}); const box = element.getClientRects()[0]; "
            "return {x: box.x + box.width / 2, y: box.y + box.height / 2}; })()"
        )
        assert at, f"{selector} is not on the page"
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)

    def press(self, key: str) -> None:
        """Press a key that has a name, and release it."""
        text = {"text": "\r"} if key == "Enter" else {}
        code = {"Tab": 9, "Enter": 13}[key]
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=code, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)

    def colours(self, scheme: str) -> None:
        """Prefer `light` or `dark`."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def resize(self, width: int) -> None:
        """Give the window this width in pixels; a narrow one is a telephone."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=1200, deviceScaleFactor=1, mobile=width < 500)

    def take_picture(self, file: Path) -> None:
        """Write what the page looks like as PNG, down to its end."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]))

    def _note(self, message: Mapping[str, Any]) -> None:
        parameters = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Network.webSocketCreated":
                self.requests.append(parameters["url"])
            case "Network.responseReceived" if parameters["response"]["status"] >= 400:
                self.failed.append((parameters["response"]["status"], parameters["response"]["url"]))
            case "Runtime.exceptionThrown":
                self.errors.append(str(parameters["exceptionDetails"]))
            case _:
                pass


@contextmanager
def open_page(folder: Path) -> Generator[Page]:
    """A browser with an empty profile for the block."""
    program = shutil.which("chromium") or "chromium"
    command = [program, *_OPTIONS, f"--user-data-dir={folder}", "about:blank"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stderr
            lines = iter(process.stderr.readline, "")
            address = next(match[1] for line in lines if (match := re.search(r"DevTools listening on (ws://\S+)", line)))
            with connect(address, max_size=None, proxy=None) as browser:
                target = Page(browser).call("Target.createTarget", url="about:blank")["targetId"]
            page_address = re.sub(r"/devtools/.*", f"/devtools/page/{target}", address)
            with connect(page_address, max_size=None, proxy=None) as socket:
                page = Page(socket)
                for domain in ("Page", "Network", "Runtime"):
                    page.call(f"{domain}.enable")
                yield page
        finally:
            process.kill()
