"""Execute the notebooks of docs/notebooks: `python -m docs._build.notebooks` writes build/notebooks/*.ipynb and *.md.

An error in a cell ends it with the notebook, the cell and the traceback.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import jupytext
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import MarkdownExporter

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "docs" / "notebooks").glob("*.py"))
OUT = ROOT / "build" / "notebooks"
LIMIT = 180  # seconds a cell


def main() -> int:
    OUT.mkdir(parents=True, exist_ok=True)
    for script in SCRIPTS:
        begun = time.perf_counter()
        notebook = jupytext.read(script)
        client = NotebookClient(notebook, timeout=LIMIT, kernel_name="python3", resources={"metadata": {"path": ROOT}})
        client.create_kernel_manager().transport = "ipc"  # no port is opened
        try:
            client.execute()
        except CellExecutionError as error:
            print(f"{script.relative_to(ROOT)}: {error}", file=sys.stderr)
            return 1
        jupytext.write(notebook, OUT / f"{script.stem}.ipynb")
        text, resources = MarkdownExporter().from_notebook_node(notebook)
        for name, content in resources["outputs"].items():
            shown = f"{script.stem}_{name}"
            (OUT / shown).write_bytes(content)
            text = text.replace(f"({name})", f"({shown})")
        (OUT / f"{script.stem}.md").write_text(text)
        print(f"{script.stem}: {time.perf_counter() - begun:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
