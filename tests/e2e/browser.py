"""A headless Chromium over the WebDriver protocol, with nothing but aiohttp between."""

from __future__ import annotations

import asyncio
import base64
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.fakes import PATIENCE

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]


class Browser:
    """One window. Selectors are CSS."""

    def __init__(self, http: aiohttp.ClientSession, session: str) -> None:
        self._http = http
        self._session = session

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{self._session}/{path}"
        async with self._http.request(method, url, json=body) as response:
            value = (await response.json())["value"]
        if response.status != 200:
            raise AssertionError(f"{path}: {value['error']}: {value['message'].splitlines()[0]}")
        return value

    async def open(self, url: str) -> None:
        await self._call("POST", "url", {"url": url})

    async def run(self, script: str, *arguments: Any) -> Any:
        return await self._call("POST", "execute/sync", {"script": script, "args": arguments})

    async def _find(self, selector: str) -> str:
        found = await self._call("POST", "element", {"using": "css selector", "value": selector})
        return str(found[ELEMENT])

    async def click(self, selector: str) -> None:
        await self._call("POST", f"element/{await self._find(selector)}/click", {})

    async def text(self, selector: str) -> str:
        return str(await self._call("GET", f"element/{await self._find(selector)}/text"))

    async def press(self, keys: str) -> None:
        """Press keys wherever the focus is."""
        strokes = [{"type": kind, "value": k} for k in keys for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keyboard", "actions": strokes}
        await self._call("POST", "actions", {"actions": [source]})

    async def chord(self, held: str, key: str) -> None:
        """Press a key while another is held."""
        kinds = [("keyDown", held), ("keyDown", key), ("keyUp", key), ("keyUp", held)]
        strokes = [{"type": kind, "value": value} for kind, value in kinds]
        source = {"type": "key", "id": "keyboard", "actions": strokes}
        await self._call("POST", "actions", {"actions": [source]})

    async def size(self, width: int, height: int) -> None:
        """Set the size of the page itself, as a phone or a desk would show it."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.devtools("Emulation.setDeviceMetricsOverride", metrics)

    async def colours(self, scheme: str) -> None:
        """Say that the system prefers `dark` or `light`."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        await self.devtools("Emulation.setEmulatedMedia", {"features": [feature]})

    async def devtools(self, command: str, parameters: dict[str, Any]) -> Any:
        body = {"cmd": command, "params": parameters}
        return await self._call("POST", "goog/cdp/execute", body)

    async def complaints(self) -> list[str]:
        """Return what the page complained about in the console since the last call."""
        lines = await self._call("POST", "se/log", {"type": "browser"})
        return [line["message"] for line in lines if line["level"] in ("SEVERE", "WARNING")]

    async def picture(self, path: Path) -> None:
        data = await self._call("GET", "screenshot")
        path.write_bytes(base64.b64decode(data))

    @asynccontextmanager
    async def cleared(self) -> AsyncIterator[Browser]:
        """Give the same window to another event loop, with nothing in it, and empty it again."""
        async with aiohttp.ClientSession(timeout=self._http.timeout) as http:
            browser = Browser(http, self._session)
            await browser.devtools("Network.clearBrowserCookies", {})
            await browser.devtools("Emulation.setEmulatedMedia", {"features": []})
            await browser.complaints()
            try:
                yield browser
            finally:
                await browser.open("about:blank")

    async def until(self, script: str, *arguments: Any) -> Any:
        """Wait until a script returns something true, and return it."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            value = await self.run(script, *arguments)
            if value:
                return value
            await asyncio.sleep(0.05)
        raise AssertionError(f"never true: {script} {arguments}")

    async def until_text(self, selector: str, text: str) -> None:
        """Wait until an element's text holds `text`."""
        script = "return document.querySelector(arguments[0])?.textContent.includes(arguments[1])"
        await self.until(script, selector, text)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start chromedriver and one window, with a profile that is thrown away."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    driver = await asyncio.create_subprocess_exec(
        "chromedriver",
        f"--port={port}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as http:
            try:
                session = await _new_session(http, base, profile)
                try:
                    yield Browser(http, f"{base}/session/{session}")
                finally:
                    async with http.delete(f"{base}/session/{session}"):
                        pass
            finally:
                driver.terminate()
                await driver.wait()


async def _new_session(http: aiohttp.ClientSession, base: str, profile: str) -> str:
    options = {
        "binary": shutil.which("chromium"),
        "args": [*FLAGS, f"--user-data-dir={profile}"],
    }
    wanted = {
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL"},
    }
    body = {"capabilities": {"alwaysMatch": wanted}}
    end = time.monotonic() + PATIENCE
    while True:
        try:
            async with http.post(f"{base}/session", json=body) as response:
                value = (await response.json())["value"]
        except aiohttp.ClientConnectionError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.1)
            continue
        if response.status != 200:
            raise AssertionError(f"Chromium did not start: {value['message']}")
        return str(value["sessionId"])
