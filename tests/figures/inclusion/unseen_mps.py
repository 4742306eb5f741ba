"""Twenty thousand damaged MPS files: each is refused with one message or read as a program, quickly.

Damage: bytes flipped, lost, doubled; lines lost, doubled, swapped; cut at every byte of two files; sections doubled,
lost, in another order; numbers replaced by huge, tiny, infinite and no numbers. What is read is held against HiGHS's
reader, in a process of its own that is replaced when it hangs.
"""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from scipy.sparse import csc_array

from solverkit.errors import InvalidProblem
from solverkit.formats.mps.problem import load_mps

FILES = 20_000
COMPARED = 2_000
PATIENCE = 5.0  # seconds for the other reader
NUMBERS = (
    b"1e400",
    b"-1e400",
    b"1e-400",
    b"1e308",
    b"nan",
    b"inf",
    b"-Infinity",
    b"0x10",
    b"1e",
    b"--1",
    b"1_0",
    b"1,5",
)
FIXED = b"""NAME          WITH BLANKS
ROWS
 N  THE COST
 L  ROW ONE
 G  ROW TWO
 E  ROW 3
COLUMNS
    COL A     THE COST           1.0   ROW ONE            1.0
    COL A     ROW TWO            1.0
    COL B     THE COST           2.0   ROW ONE            1.0
    COL B     ROW 3             -1.0
    COL C     THE COST          -1.0   ROW 3              1.0
RHS
    RHS       ROW ONE            4.0   ROW TWO            1.0
    RHS       ROW 3              7.0
RANGES
    RNG       ROW ONE            2.5   ROW 3             -1.0
BOUNDS
 UP BND       COL A              4.0
 MI BND       COL B
 UP BND       COL B              1.0
 FR BND       COL C
ENDATA
"""
FREE = b"""* every section
NAME free
OBJSENSE
    MAX
ROWS
 N cost
 N other
 L r1
 G r2
 E r3
COLUMNS
 x cost 1 r1 1
 x r2 1
 y cost 2 r1 1e0
 y r3 -1.D0 other 3
 z cost -1 r3 +1.
RHS
 RHS r1 4 r2 1
 RHS r3 7 cost 2
RANGES
 RNG r1 2.5 r3 1
BOUNDS
 UP BND x 4
 LO BND y -1
 UP BND y 1
 FX BND z .5
ENDATA
"""
SMALL = b"17-byte\n ROWS\n N\n"[:17]


def sources() -> list[bytes]:
    """What the damaged files are made of."""
    folder = Path(__file__).parents[3] / "problems" / "inclusion"
    return [FIXED, FREE, *(path.read_bytes() for path in sorted(folder.glob("lp-*/model.mps")))]


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """One to three sorts of damage."""
    for _ in range(int(rng.integers(1, 4))):
        sort, data = int(rng.integers(0, 9)), bytearray(content)
        lines = content.split(b"\n")
        k, other = (int(v) for v in rng.integers(0, len(lines), 2))
        at = int(rng.integers(0, len(data))) if data else 0
        if not data:
            break
        if sort == 0:
            data[at] = int(rng.integers(0, 256))
        elif sort == 1:
            del data[at : at + int(rng.integers(1, 9))]
        elif sort == 2:
            data[at:at] = data[at : at + int(rng.integers(1, 40))]
        elif sort == 3:
            del lines[k]
        elif sort == 4:
            lines.insert(other, lines[k])
        elif sort == 5:
            lines[k], lines[other] = lines[other], lines[k]
        elif sort == 6:
            words = lines[k].split(b" ")
            words[-1] = NUMBERS[int(rng.integers(0, len(NUMBERS)))]
            lines[k] = b" ".join(words)
        elif sort == 7:
            heads = [j for j, line in enumerate(lines) if line[:1].strip()] + [len(lines)]
            h = int(rng.integers(0, len(heads) - 1))
            section = lines[heads[h] : heads[h + 1]]
            if rng.random() < 0.5:
                del lines[heads[h] : heads[h + 1]]
            else:
                place = heads[int(rng.integers(0, len(heads)))]
                lines[place:place] = section
        else:
            data = data[:at]
        content = bytes(data) if sort in (0, 1, 2, 8) else b"\n".join(lines)
    return content


def files(count: int, seed: int = 0) -> Iterator[bytes]:
    """Cuts at every byte of one file, then damage by chance."""
    rng = np.random.default_rng(seed)
    made = 0
    yield SMALL
    for source in (FREE, FIXED):
        for end in range(len(source)):
            yield source[:end]
            made += 1
            if made >= count // 2:
                break
    known = sources()
    for _ in range(count - made):
        yield damaged(known[int(rng.integers(0, len(known)))], rng)


def read(path: Path) -> tuple[Any | None, str]:
    """(the program, "") or (None, the message). Anything but InvalidProblem goes through."""
    try:
        return load_mps(path).structure, ""
    except InvalidProblem as error:
        return None, str(error)


def _reader(pipe: Connection) -> None:
    import highspy

    while (path := pipe.recv()) is not None:
        model = highspy.Highs()
        model.silent()
        status = model.readModel(path)
        lp = model.getLp()
        if status == highspy.HighsStatus.kError or not lp.num_col_:
            pipe.send(None)
            continue
        A = lp.a_matrix_
        parts = [np.array(part) for part in (A.value_, A.index_, A.start_)]
        sides = [np.array(side) for side in (lp.col_cost_, lp.col_lower_, lp.col_upper_, lp.row_lower_, lp.row_upper_)]
        pipe.send((parts, (lp.num_row_, lp.num_col_), sides, lp.offset_, lp.sense_ == highspy.ObjSense.kMaximize))


class OtherReader:
    """HiGHS's reader in a process of its own."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_reader, args=(theirs,), daemon=True)
        self._process.start()

    def read(self, path: Path) -> Any:
        """What it read; None where it refused; a word where it hung or died."""
        self._pipe.send(str(path))
        limit = perf_counter() + PATIENCE
        while not self._pipe.poll(0.02):
            if not self._process.is_alive() or perf_counter() > limit:
                said = "hangs" if self._process.is_alive() else "dies"
                self._process.kill()
                self._start()
                return said
        return self._pipe.recv()

    def close(self) -> None:
        """End it."""
        self._process.kill()


def compare(program: Any, theirs: Any) -> str:
    """same, or what differs."""
    if theirs is None:
        return "HiGHS refuses"
    if isinstance(theirs, str):
        return f"HiGHS {theirs}"
    parts, shape, (cost, lower, upper, row_lower, row_upper), offset, maximize = theirs
    mine = program.A
    sense = -1.0 if program.maximize else 1.0
    if mine.shape != shape:
        return f"shape {mine.shape}, HiGHS {shape}"
    if abs(mine - csc_array(tuple(parts), shape=shape)).max() > 0:
        return "matrix differs"
    pairs = [
        ("cost", sense * program.c, cost),
        ("lower", program.lower, lower),
        ("upper", program.upper, upper),
        ("row_lower", program.row_lower, row_lower),
        ("row_upper", program.row_upper, row_upper),
        ("constant", [sense * program.constant], [offset]),
        ("sense", [program.maximize], [maximize]),
    ]
    for name, ours, other in pairs:
        if not np.array_equal(ours, other):
            return f"{name} differs"
    return "same"


def run(count: int = FILES, compared: int = COMPARED, seed: int = 0) -> dict[str, bytes]:
    """Prints counts, the slowest file, memory, and what differs; an example of each verdict."""
    kinds: Counter[str] = Counter()
    against: Counter[str] = Counter()
    examples: dict[str, bytes] = {}
    slowest, other = 0.0, OtherReader()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.mps"
        for content in files(count, seed):
            path.write_bytes(content)
            begun = process_time()
            program, message = read(path)
            slowest = max(slowest, process_time() - begun)
            if program is None:
                one = message.count("\n") == 0 and message.isprintable()
                kinds["refused with one line" if one else "refused with more"] += 1
                if not one:
                    examples.setdefault("more", content)
                continue
            kinds["read"] += 1
            if sum(against.values()) < compared:
                verdict = compare(program, other.read(path))
                against[verdict] += 1
                examples.setdefault(verdict, content)
    other.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} files: {dict(kinds)}; slowest {slowest:.3f} s; peak {peak:.0f} MB")
    print(f"against HiGHS's reader, {sum(against.values())} of those read: {dict(against)}")
    return examples


def main() -> None:
    """All of them."""
    run()
