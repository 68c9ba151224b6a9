"""The Chromium that is installed, driven by playwright; a page that fails on errors and on any request."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SIZES = {"phone": (390, 844), "desktop": (1180, 900)}


def executable() -> str | None:
    """Return the browser: CHROMIUM, or the first of the usual names; None if there is none."""
    told = os.environ.get("CHROMIUM")
    return told or next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Any]:
    """Start Chromium with a fresh profile, and end it."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="chromium-") as profile, sync_playwright() as player:
        browser = player.chromium.launch_persistent_context(
            profile, executable_path=executable(), args=FLAGS, accept_downloads=True
        )
        try:
            yield browser
        finally:
            browser.close()


class Opened:
    """A page that was opened from disk, with what it complained of and asked for."""

    def __init__(self, browser: Any, path: Path, *, size: str = "desktop", dark: bool = False) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page = browser.new_page()
        self.page.set_default_timeout(30_000)
        width, height = SIZES[size]
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.address = path.resolve().as_uri()
        self.page.goto(self.address)

    @property
    def asked(self) -> list[str]:
        """Addresses asked for besides the page itself and what it holds."""
        return [url for url in self.requests if url != self.address and not url.startswith(("data:", "blob:"))]
