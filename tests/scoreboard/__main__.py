"""`python -m tests.scoreboard`: writes docs/reference/scoreboard.md; exit code 1 where a wrong answer is certified."""

from __future__ import annotations

import sys

from tests.scoreboard.board import runs
from tests.scoreboard.page import PAGE, text

found = list(runs())
PAGE.write_text(text(found))
wrong = [run for run in found if run.wrong_verdict]
for run in wrong:
    print(f"wrong and certified: {run.library} {run.method}, {run.trap}")
print(f"{len(found)} runs, {sum(run.wrong_claim for run in found)} wrong claims, {len(wrong)} wrong verdicts: {PAGE}")
sys.exit(int(bool(wrong)))
