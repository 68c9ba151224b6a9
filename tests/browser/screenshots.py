"""Pictures of a page, section by section, as a person sees it: `make screenshots`.

python tests/browser/screenshots.py results/demo/report.html [more pages] [--out results/screenshots] [--dark] [--pdf] [--docs]
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from browser.chromium import SIZES, Opened, chromium, executable

DOCS = Path(__file__).parents[2] / "docs"
PARTS = "#answer, main > section, article.entry"


def take(browser: object, path: Path, out: Path, *, size: str, dark: bool) -> list[Path]:
    """Write one picture a section, and one of the first screen."""
    opened = Opened(browser, path, size=size, dark=dark)
    name = path.stem if path.stem == "index" else path.parent.name
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    prefix = f"{size}{'-dark' if dark else ''}"
    opened.page.wait_for_timeout(600)  # the map of cells draws after the page is there
    written = [folder / f"{prefix}-00-first-screen.png"]
    opened.page.screenshot(path=written[0])
    for place, part in enumerate(opened.page.locator(PARTS).all(), start=1):
        written.append(folder / f"{prefix}-{place:02d}-{part.get_attribute('id') or 'part'}.png")
        part.screenshot(path=written[-1])
    opened.page.close()
    return written


def printed(browser: object, path: Path, out: Path) -> Path:
    """Write the page as it prints on A4."""
    opened = Opened(browser, path)
    opened.page.wait_for_timeout(600)
    name = path.stem if path.stem == "index" else path.parent.name
    target = out / f"{name}.pdf"
    target.parent.mkdir(parents=True, exist_ok=True)
    opened.page.pdf(path=target, format="A4", print_background=False, margin=dict.fromkeys(("top", "bottom", "left", "right"), "14mm"))  # fmt: skip
    opened.page.close()
    return target


def for_the_readme(browser: object, page: Path) -> list[Path]:
    """Write the README's two pictures: the first screen, and the main figure."""
    opened = Opened(browser, page)
    written = [DOCS / "page.png", DOCS / "timeline.png"]
    opened.page.screenshot(path=written[0])
    opened.page.locator("#figure-timeline .on-wide").screenshot(path=written[1])
    opened.page.close()
    return written


def main() -> int:
    """Take the pictures that were asked for; 1 where there is no browser."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("results/screenshots"))
    parser.add_argument("--dark", action="store_true", help="in dark mode too")
    parser.add_argument("--pdf", action="store_true", help="print to PDF too")
    parser.add_argument("--docs", action="store_true", help="the README's two pictures too, of the last page")
    asked = parser.parse_args()
    missing = [page for page in asked.pages if not page.is_file()]
    if missing or executable() is None:
        print(f"there is no page {missing[0]}" if missing else "no Chromium was found; CHROMIUM=/path names one")
        return 1
    with chromium() as browser:
        for page in asked.pages:
            for size in SIZES:
                for dark in (False, True) if asked.dark else (False,):
                    for path in take(browser, page, asked.out, size=size, dark=dark):
                        print(path)
            if asked.pdf:
                print(printed(browser, page, asked.out))
        if asked.docs:
            print(*for_the_readme(browser, asked.pages[-1]), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
