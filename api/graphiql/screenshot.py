"""Picture the query page with the city's impact query answered: `docs/images/graphiql.png`.

twinfall demo                                    # in another terminal
python api/graphiql/screenshot.py [URL] [FILE]   # needs Chromium and Playwright
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

IMAGE = Path(__file__).parents[2] / "docs" / "images" / "graphiql.png"
SIZE = {"width": 1440, "height": 860}
IMPACT_TAB = 2
"""The demo's third query."""


def main(url: str = "http://localhost:8000/", file: str = str(IMAGE)) -> None:
    """Take the picture; raises where the page asks another host for anything."""
    hosts: set[str] = set()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.goto(url)
        page.wait_for_selector(".graphiql-execute-button")
        page.locator(".graphiql-tab-button").nth(IMPACT_TAB).click()
        page.click(".graphiql-execute-button")
        page.locator(".graphiql-response", has_text="PT5H36M").wait_for(timeout=60_000)
        page.mouse.move(SIZE["width"] / 2, SIZE["height"] - 4)
        page.wait_for_timeout(1000)
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=file)
        browser.close()
    others = hosts - {urlsplit(url).netloc, ""}
    if others:
        raise SystemExit(f"the page asked other hosts: {sorted(others)}")
    print(f"{file}: no request to another host")


if __name__ == "__main__":
    main(*sys.argv[1:])
