"""Open the built site in a headless browser: no page scrolls sideways, and the search finds the right pages first.

    pip install playwright && playwright install chromium
    python docs/check_browser.py docs/_build/html --screenshots shots

Every page is opened at 1280 and at 390 pixels, except most pages of the reference, which are alike: every tenth.
`--browser` takes the path of a Chromium that is installed already.
"""

import argparse
import sys
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import sync_playwright

WIDTHS = 1280, 390
SEARCHED = {
    "install": "install.html",
    "threshold": "operating_points.html",
    "equal error rate": "error_rates.html",
    "enroll": "verifying.html",
    "forgery": "data.html",
}
SHOWN = "index.html", "getting_started.html", "api.html", "verifying.html", "auto_examples/plot_verification.html"


def pages_of(site):
    """Return the pages to open, relative to the site."""
    reference = sorted(site.glob("generated/*.html"))[::10]
    pages = [*site.glob("*.html"), *site.glob("auto_examples/*.html"), *reference]
    return sorted(str(page.relative_to(site)) for page in pages)


def check_widths(browser, site, folder):
    """Return the pages that are wider than the window; save pictures of some."""
    found = []
    for width in WIDTHS:
        page = browser.new_page(viewport={"width": width, "height": 900})
        for name in pages_of(site):
            page.goto(f"file://{site / name}")
            needed = page.evaluate("document.scrollingElement.scrollWidth")
            if needed > width:
                found.append(f"{name}: {needed} pixels wide in a window of {width}")
            if folder and name in SHOWN:
                page.screenshot(path=folder / f"{Path(name).stem}-{width}.png")
        page.close()
    return found


def check_search(browser, site):
    """Return the searches whose first result is another page."""
    found = []
    page = browser.new_page()
    for words, wanted in SEARCHED.items():
        page.goto(f"file://{site}/search.html?q={quote(words)}")
        first = page.locator("#search-results li > a").first.get_attribute("href")
        if not first.startswith(wanted):
            found.append(f"search for {words!r}: the first result is {first}, not {wanted}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=Path)
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER")
    parser.add_argument("--browser", metavar="PATH")
    options = parser.parse_args()
    site = options.site.resolve()
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=options.browser, args=["--no-sandbox", "--allow-file-access-from-files"]
        )
        found = check_widths(browser, site, options.screenshots) + check_search(browser, site)
        browser.close()
    print("\n".join(found))
    print(f"{len(pages_of(site))} pages at {len(WIDTHS)} widths, {len(SEARCHED)} searches, {len(found)} faults")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
