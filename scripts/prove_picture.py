"""Take the picture of `docs/prove.md`: `bise serve nano --judge`, then this script.

Wants playwright, Debian's Chromium and an installed Lean: what it shows was searched and judged.
"""

import os
import shutil
import sys

from page_pictures import DESK, FOLDER
from playwright.sync_api import expect, sync_playwright

SOURCE = """/-! Lists of numbers and their sums. -/

def total : List Nat → Nat
  | [] => 0
  | x :: xs => x + total xs

theorem total_append (xs ys : List Nat) : total (xs ++ ys) = total xs + total ys := by
  sorry

theorem total_reverse (xs : List Nat) : total xs.reverse = total xs := by
  sorry
"""
SEARCH_MS = 400_000


def main(address: str = "http://127.0.0.1:8000/") -> None:
    FOLDER.mkdir(exist_ok=True)
    args = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=args)
        page = browser.new_page(
            viewport=DESK, color_scheme="light", device_scale_factor=1.5, reduced_motion="reduce"
        )
        page.goto(f"{address}prove")
        page.get_by_label("A Lean file").fill(SOURCE)
        page.get_by_role("button", name="Search for proofs").click()
        expect(page.locator("#state")).to_have_text("ended", timeout=SEARCH_MS)
        page.evaluate("scrollTo(0, document.getElementById('run').offsetTop - 16)")
        page.screenshot(path=FOLDER / "prove-light.png")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
