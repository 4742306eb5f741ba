"""Mutants of a file: bytes of any format, and lines, values and blocks of problem files."""

from __future__ import annotations

import random
import re

HOSTILE = (
    ".nan", "-.inf", "1e999", "-0", "0x1F", "1_000", "9" * 400, "1e-400", "null", "~", "true", "no", "[]", "{}", '""',
    "*alias", "&anchor 1", "<<", "!!python/object/apply:os.system [ls]", "!!binary aGVsbG8=", "! x", "|", ">", "---",
    "[" * 60, "{a: " * 60, "x" * 20_000, '"\\e[31m"', "\x1b[31m", "\u202eabc", "\x00", "\ufeff", "%TAG ! !",
    "../../../etc/passwd", "/etc/passwd", "/dev/zero", "/dev/stdin", "file:///etc/passwd", "~/.bashrc", "$HOME", ".",
    "__import__('os').system('touch owned')", "().__class__.__bases__", "x.__class__", "lambda: 0", "eval('1')",
    "open('owned', 'w')", "[x for x in (1,)]", "x if x else y", "x := 1", "f'{x}'", "x;y", "x\\\n", "exp(exp(exp(x)))",
    "x**x**x**x", "9**9**9", "x[10**9]", "x[-1]", "x[0:10**9]", "sum(sum(x))", "1/0", "log(0)", "(" * 80 + "x",
    "1000000", "100000000", "-1", "0", "[1000000, 1000000]", "[0]", "[-1]", "1e400*x", "x@x", "x.T", "norm(x, 0)",
    "python: os:system", "generate: everything", "sklearn: ../../x", "file: /etc/passwd", "{file: problem.yaml}",
)  # fmt: skip
"""Values that some reader somewhere has fallen over."""

BYTES = (b"\x00", b"\xff", b"\n", b"\r", b" ", b"\t", b"-", b"9", b"9" * 30, b"e308", b"nan", b"inf", b"\x80", b"#")


def of_bytes(content: bytes, rng: random.Random) -> bytes:
    """One to four changes: a byte, a run of them, a number, a cut, a repeat."""
    found = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(found) + 1) if found else 0
        end = min(place + rng.choice((1, 1, 2, 8, 64)), len(found))
        match rng.randrange(7):
            case 0:
                found[place:end] = bytes(rng.randrange(256) for _ in range(end - place))
            case 1:
                del found[place:end]
            case 2:
                found[place:place] = rng.choice(BYTES)
            case 3:
                found[place:place] = found[place:end] * rng.choice((1, 2, 50))
            case 4:
                del found[place:]
            case 5:
                number = rng.choice(list(re.finditer(rb"\d+", bytes(found))) or [None])
                if number is not None:
                    digits = rng.choice((b"0", b"-1", b"1", b"2147483648", b"99999999999999999999", b"1e9"))
                    found[number.start() : number.end()] = digits
            case _:
                other = rng.randrange(len(found) + 1)
                found[place:place] = found[other : other + 64]
    return bytes(found)


def of_problem(text: str, other: str, rng: random.Random) -> str:
    """One to three changes of a problem file; `other` is another one, from which lines and blocks are taken."""
    lines = text.splitlines(keepends=True)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        place = rng.randrange(len(lines)) if lines else 0
        match rng.randrange(10):
            case 0 | 1 | 2 if lines:
                lines[place] = _with_value(lines[place], rng)
            case 3 if lines:
                del lines[place]
            case 4 if lines:
                lines.insert(rng.randrange(len(lines)), lines[place])
            case 5 if lines:
                deeper = " " * rng.choice((1, 2, 4)) + lines[place]
                lines[place] = deeper if rng.random() < 0.6 else lines[place].lstrip()
            case 6:
                block = other.splitlines(keepends=True)
                begin = rng.randrange(len(block)) if block else 0
                lines[place:place] = block[begin : begin + rng.choice((1, 1, 3, 8))]
            case 7 if len(lines) > 1:
                where = rng.randrange(len(lines))
                lines[place], lines[where] = lines[where], lines[place]
            case 8 if lines:
                word = rng.choice(re.findall(r"\w+", lines[place]) or ["x"])
                lines[place] = lines[place].replace(word, rng.choice((*HOSTILE, word + "_", word[:1], "")), 1)
            case _:
                whole = "".join(lines)
                changed = of_bytes(whole.encode(errors="replace"), rng)
                lines = changed.decode(errors="replace").splitlines(keepends=True)
    return "".join(lines)


def _with_value(line: str, rng: random.Random) -> str:
    head, colon, rest = line.partition(":")
    value = rng.choice(HOSTILE)
    if not colon:
        return f"{value}\n"
    number = rng.choice(list(re.finditer(r"-?\d+\.?\d*(?:e-?\d+)?", rest)) or [None])
    if number is not None and rng.random() < 0.5:
        return f"{head}:{rest[: number.start()]}{value}{rest[number.end() :]}"
    return f"{head}: {value}\n"
