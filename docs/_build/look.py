"""Every page of the built site in headless Chromium, at two widths, and what is wrong with it.

    python -m docs._build.look [--site build/site] [--pictures FOLDER] [PAGE ...]

A page fails where it is wider than its window, where a request fails or leaves this machine, where a formula was not
rendered, where a link or its anchor leads nowhere, where the console shows an error, where a text has too little
contrast, and where something that scrolls cannot be reached by the keyboard.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from docs._build.serve import served

ROOT = Path(__file__).parents[2]
WIDTHS = (1280, 400)
HEIGHT = 900
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
LEFT = "net::ERR_ABORTED"
"""What Chromium says of a request that was under way when the page was left for the next one."""

SCRIPT = Path(__file__).with_name("look.js")
INSTALL = """no Chromium is here. Install one, or name it by SOLVERKIT_CHROMIUM:
  Debian, Ubuntu:  apt-get install chromium
  macOS:           brew install --cask chromium"""


def browser_path() -> str | None:
    """A Chromium of this machine; None where there is none."""
    named = os.environ.get("SOLVERKIT_CHROMIUM")
    return named or next(filter(None, map(shutil.which, BROWSERS)), None)


class Look:
    """What was found on the pages of one site."""

    def __init__(self, address: str, pictures: Path | None = None) -> None:
        self.address = address
        self.pictures = pictures
        self.faults: dict[str, list[str]] = {}
        self.links: dict[str, list[str]] = {}  # page -> addresses that it leads to
        self.anchors: dict[str, set[str]] = {}  # page -> ids in it

    def page(self, tab: Any, path: str, width: int) -> None:
        """Open a page, and note what is wrong with it at this width."""
        url = urljoin(self.address, path)
        found: list[str] = []

        def note(wrong: bool, text: str) -> None:
            if wrong:
                found.append(text)

        listeners: dict[str, Callable[[Any], None]] = {
            "requestfailed": lambda request: note(request.failure != LEFT, f"failed: {request.url}"),
            "response": lambda answer: note(answer.status >= 400, f"status {answer.status}: {answer.url}"),
            "request": lambda request: note(not self._inside(request.url), f"another host: {request.url}"),
            "console": lambda line: note(line.type == "error", f"console: {line.text}"),
            "pageerror": lambda error: note(True, f"script: {error}"),
        }
        for event, act in listeners.items():
            tab.on(event, act)
        tab.goto(url, wait_until="load")
        seen = tab.evaluate(f"({SCRIPT.read_text()})()")
        for event, act in listeners.items():
            tab.remove_listener(event, act)
        self.links[path], self.anchors[path] = seen["links"], set(seen["anchors"])
        found += seen["faults"]
        if found:
            self.faults.setdefault(path, []).extend(f"at {width}: {text}" for text in dict.fromkeys(found))
        if self.pictures is not None:
            name = f"{path.removesuffix('.html').replace('/', '.')}-{width}.png"
            tab.screenshot(path=self.pictures / name, full_page=True)

    def _inside(self, url: str) -> bool:
        return url.startswith((self.address, "data:", "blob:", "about:"))

    def check_links(self, site: Path) -> None:
        """Hold every link against the files and the anchors of the site."""
        for path, links in self.links.items():
            for link in dict.fromkeys(links):
                if self._inside(link) and (fault := self._broken(link, site)):
                    self.faults.setdefault(path, []).append(fault)

    def _broken(self, link: str, site: Path) -> str:
        url, anchor = urldefrag(link)
        target = unquote(url.removeprefix(self.address).partition("?")[0])
        file = site / target / "index.html" if target in ("", "./") or target.endswith("/") else site / target
        if not file.is_file():
            return f"link to no page: {target}"
        page = file.relative_to(site).as_posix()
        anchors = self.anchors.get(page)
        if anchor and anchors is not None and unquote(anchor) not in anchors | {"top"}:
            return f"link to no place: {target}#{anchor}"
        return ""


def pages_of(site: Path) -> list[str]:
    """Paths of all pages, from the root of the site."""
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))


def look(site: Path, pages: Sequence[str] = (), pictures: Path | None = None) -> Look:
    """Open the pages (all where none are named) at both widths. Raises FileNotFoundError where no Chromium is here."""
    path = browser_path()
    if path is None:
        raise FileNotFoundError(INSTALL)
    from playwright.sync_api import sync_playwright

    with served(site) as address, sync_playwright() as playwright:
        report = Look(address, pictures)
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        for width in WIDTHS:
            tab = browser.new_page(viewport={"width": width, "height": HEIGHT})
            for page in pages or pages_of(site):
                report.page(tab, page, width)
            tab.close()
        browser.close()
    if not pages:
        report.check_links(site)
    return report


def lines(report: Look) -> Iterator[str]:
    """What is wrong, page by page."""
    for page, faults in sorted(report.faults.items()):
        yield page
        yield from (f"  {fault}" for fault in faults)


def main() -> int:
    """The exit code: 0 where nothing is wrong, 1 where something is, 2 where nothing could be looked at."""
    parser = argparse.ArgumentParser(description="Look at every page of the built site in headless Chromium.")
    parser.add_argument(
        "pages", nargs="*", metavar="PAGE", help="such as reference/kinds.html; default: all, and links"
    )
    parser.add_argument("--site", type=Path, default=ROOT / "build" / "site", help="default: build/site")
    parser.add_argument("--pictures", type=Path, help="write a picture of each page at each width to this folder")
    given = parser.parse_args()
    if not (given.site / "index.html").is_file():
        print(f"{given.site} is no built site: run `make docs`", file=sys.stderr)
        return 2
    if given.pictures:
        given.pictures.mkdir(parents=True, exist_ok=True)
    try:
        report = look(given.site, given.pages, given.pictures)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    for line in lines(report):
        print(line)
    faults = sum(map(len, report.faults.values()))
    print(f"{len(report.links)} pages at {' and '.join(map(str, WIDTHS))} pixels: {faults or 'no'} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
