"""No module keeps state that runs write, but for a short list; each entry says why threads may share it."""

from __future__ import annotations

import pytest

from tests.determinism.state import written
from tests.sources import sources

ONCE = "made once and the same whoever makes it"
TABLE = "filled while its module is imported, which Python does under a lock"
SHARED = {
    "solverkit_baselines/nonlinear/native.py": {
        "_idle": "a solver is taken out by one atomic pop and put back when its run ended"
    },
    "solverkit_sketched_newton/inner/sketch.py": {"kernels": ONCE},
    "solverkit_sor/tuner/context.py": {"sampled": ONCE},
    "solverkit/bench/environment.py": {
        "environment": ONCE,
        "os": "a worker of the bench sets its own process's threads",
    },
    "solverkit/bench/work.py": {"_desk": "used under a lock, one at a time"},
    "solverkit/engine/interrupt.py": {"sys": "the hook of a process that is a command, set before it runs anything"},
    "solverkit/engine/task.py": {"_version": ONCE},
    "solverkit/expressions/functions.py": {"FUNCTIONS": TABLE},
    "solverkit/expressions/torch_target.py": {"_sparse_product": ONCE},
    "solverkit/formats/source.py": {"sys": "the module of a trusted Python file, under a name made of its path"},
    "solverkit/operators/proximal/cones.py": {"_differentiable": ONCE},
    "solverkit/operators/proximal/host.py": {"_functions": ONCE},
    "solverkit/testing/catalogue.py": {"_CHECKS": TABLE},
    "solverkit/testing/ground.py": dict.fromkeys(
        ("logging", "os", "sys"), "the kit restores a process that it tests alone"
    ),
}


def test_no_module_keeps_state_that_runs_write():
    files = sources()
    found = {name: names for name, file in files.items() if (names := written(file))}
    packages = {name.partition("/")[0] for name in files}
    assert found == {name: set(names) for name, names in SHARED.items() if name.partition("/")[0] in packages}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("seen = {}\ndef f(k):\n    seen[k] = 1", {"seen"}),
        ("seen = []\ndef f(k):\n    seen.append(k)", {"seen"}),
        ("n = 0\ndef f():\n    global n\n    n += 1", {"n"}),
        ("import os\ndef f():\n    os.environ['A'] = 'b'", {"os"}),
        ("from a import table\nclass C:\n    def f(self):\n        table.x.y = 1", {"table"}),
        ("from functools import lru_cache\n@lru_cache(8)\ndef f(k): ...", {"f"}),
        ("seen = {}\ndef f():\n    def g():\n        seen.clear()", {"seen"}),
        ("seen = {}\ndef f():\n    seen = {}\n    seen[1] = 2", set()),
        ("seen = {}\ndef f(seen):\n    seen[1] = 2", set()),
        ("import numpy as np\ndef f(x):\n    return np.append(x, 1)", set()),
        ("table = {}\ntable['a'] = 1", set()),
    ],
)
def test_the_search_finds_state_and_nothing_else(tmp_path, text, names):
    file = tmp_path / "code.py"
    file.write_text(text)
    assert written(file) == names
