"""The page in a browser: nothing sticks out, nothing is fetched, nothing runs, no letters on top of others."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import shutil
import subprocess

import pytest
from synthetic import ENVIRONMENTS, SUITE, records
from test_outputs import hostile

from solverkit.bench.report import page, summarize

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --allow-file-access-from-files --virtual-time-budget=4000"""

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine: the page is not opened")

FRAME = """<!DOCTYPE html><iframe id="f" src="page.html" style="border:0;width:WIDTHpx;height:900px"></iframe>
<pre id="out"></pre><script>
document.getElementById("f").onload = event => {
  const frame = event.target.contentDocument, found = {};
  found.width = frame.documentElement.scrollWidth;
  found.scripts = frame.querySelectorAll("script,iframe,object,embed,link,img,image,use,foreignObject,a").length;
  found.handlers = [...frame.querySelectorAll("*")].filter(
    element => [...element.attributes].some(attribute => attribute.name.startsWith("on"))).length;
  found.fetched = event.target.contentWindow.performance.getEntriesByType("resource").length;
  found.plots = 0, found.clipped = [], found.overlaps = [], found.small = 0;
  for (const svg of frame.querySelectorAll("figure svg")) {
    const box = svg.getBoundingClientRect(), texts = [...svg.querySelectorAll("text")];
    found.plots += 1;
    const boxes = texts.map(text => text.getBoundingClientRect());
    boxes.forEach((one, i) => {
      if (one.left < box.left - 1 || one.right > box.right + 1 || one.bottom > box.bottom + 1 || one.top < box.top - 1)
        found.clipped.push(texts[i].textContent);
      boxes.slice(i + 1).forEach((other, j) => {
        if (one.left < other.right - 1 && other.left < one.right - 1 && one.top < other.bottom - 3 &&
            other.top < one.bottom - 3) found.overlaps.push([texts[i].textContent, texts[i + 1 + j].textContent]);
      });
    });
    if (box.width / 360 * 12 < 10) found.small += 1;
  }
  document.getElementById("out").textContent = "FOUND" + JSON.stringify(found) + "END";
};
</script>"""


def look(folder, text, width):
    """What a frame of `width` finds in the page, and everything that the browser asked the network for."""
    (folder / "page.html").write_text(text, encoding="utf-8")
    (folder / "frame.html").write_text(FRAME.replace("WIDTH", str(width)), encoding="utf-8")
    log = folder / "net.json"
    done = subprocess.run(
        [
            BROWSER,
            *FLAGS.split(),
            f"--user-data-dir={folder / 'profile'}",
            f"--log-net-log={log}",
            f"--window-size={max(width, 500) + 40},1000",
            "--dump-dom",
            (folder / "frame.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    match = re.search(r"FOUND({.*?})END</pre>", done.stdout, re.S)
    assert match, done.stderr[-2000:]
    return json.loads(match[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")), log.read_text("utf-8")


def strange():
    """Merits that are constant, negative, close together far from zero, zero, or beyond all bounds."""
    merits = [
        lambda row: 3.0,
        lambda row: 5.0 - row,
        lambda row: -1234567.0 - 1e-3 * row,
        lambda row: 0.0,
        lambda row: 10.0 ** (300 - 20 * row),
    ]
    turns = {f"problem-{number}": merit for number, merit in enumerate(merits)}
    return summarize(
        dataclasses.replace(
            run,
            calls=7,
            time=1e-7,
            trace=[(0.0, 0, math.nan), *((row * 1e-4, row, turns[run.problem](row)) for row in range(30))],
        )
        for run in records(5, 2, 1, 1)
    )


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["plain", "hostile", "strange", "large", "empty"])
def test_the_page_in_a_browser(tmp_path, name, width):
    if name == "large":
        report = summarize(records(20, 10, 3, 2) + records(3, 2, 1, 1, kind="nonlinear"), ENVIRONMENTS, SUITE)
    else:
        report = {
            "plain": lambda: summarize(records(6, 4), ENVIRONMENTS, SUITE),
            "hostile": hostile,
            "strange": strange,
            "empty": lambda: summarize([]),
        }[name]()
    found, network = look(tmp_path, page(report), width)
    assert found["width"] <= width
    assert found["scripts"] == found["handlers"] == found["fetched"] == 0
    assert "evil.example" not in network.replace("evil.example%", "")
    assert found["clipped"] == found["overlaps"] == []
    assert found["small"] == 0
    assert (found["plots"] > 0) == (name != "empty")
