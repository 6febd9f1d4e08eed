"""Take the pictures of `docs/web.md`: `bise serve nano`, then `python scripts/page_pictures.py`.

Wants playwright and Debian's Chromium.
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
DESK = {"width": 1180, "height": 760}
PHONE = {"width": 390, "height": 780}


def main(address: str = "http://127.0.0.1:8000/") -> None:
    FOLDER.mkdir(exist_ok=True)
    args = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=args)
        take(browser, address, "web-light", DESK, scheme="light")
        take(browser, address, "web-dark", DESK, scheme="dark")
        take(browser, address, "web-phone", PHONE, scheme="light")
        browser.close()


def take(browser: Browser, address: str, name: str, size: dict[str, int], *, scheme: str) -> None:
    """One picture of a short conversation, its last thinking unfolded."""
    context = browser.new_context(
        viewport=size, color_scheme=scheme, device_scale_factor=1.5, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_text("is listening")).to_be_visible()
    if name == "web-dark":
        page.screenshot(path=FOLDER / "web-empty.png")
    ask(page, "Who are you?")
    page.get_by_role("radio", name="Think").check(force=True)
    ask(page, "What is (47+86)-29*3?")
    page.get_by_text("Thought for").last.click()
    page.get_by_label("Your message").fill("And what is 12*7-(3+58)+9*4?")
    expect(page.get_by_role("button", name="tokens")).to_be_visible()
    page.locator(".scroller").evaluate("node => node.scrollTo(0, node.scrollHeight)")
    page.screenshot(path=FOLDER / f"{name}.png")
    context.close()


def ask(page: Page, words: str) -> None:
    done = page.get_by_text("first after").count()
    page.get_by_label("Your message").fill(words)
    page.get_by_label("Your message").press("Enter")
    expect(page.get_by_text("first after")).to_have_count(done + 1, timeout=60_000)


if __name__ == "__main__":
    main(*sys.argv[1:])
