"""Take the pictures of the playground for the README, from one that runs.

python -m tests.e2e.pictures http://127.0.0.1:8080 deploy/pictures "How tall is K2?"
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from tests.e2e.browser import chromium

ENTER = "\ue007"
VIEWS = {
    "playground-dark.png": (1440, 900, "dark"),
    "playground-light.png": (1440, 900, "light"),
    "playground-phone.png": (390, 844, "dark"),
}
DONE = "return document.querySelector('.theirs')?.getAttribute('aria-busy') === 'false'"
STILL = {"name": "prefers-reduced-motion", "value": "reduce"}


async def take(url: str, folder: Path, text: str) -> None:
    """Say one line, wait for the reply, and take each view of it."""
    folder.mkdir(parents=True, exist_ok=True)
    async with chromium() as browser:
        await browser.size(1440, 900)
        await browser.open(url)
        await browser.until("return document.querySelector('#app').dataset.ready")
        await browser.click("#text")
        await browser.press(text + ENTER)
        await browser.until(DONE)
        for name, (width, height, scheme) in VIEWS.items():
            await browser.size(width, height)
            wanted = {"name": "prefers-color-scheme", "value": scheme}
            await browser.devtools("Emulation.setEmulatedMedia", {"features": [wanted, STILL]})
            await browser.until(
                "return document.documentElement.dataset.theme === arguments[0]", scheme
            )
            await browser.picture(folder / name)
            print(folder / name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("text")
    given = parser.parse_args()
    asyncio.run(take(given.url, given.folder, given.text))
