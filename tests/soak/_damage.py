"""Damage to a file, as disks, copies and cuts of power do it."""

from __future__ import annotations

import random
from collections.abc import Iterator

SECTOR = 512


def flipped(content: bytes, place: int, bit: int) -> bytes:
    """One bit is another."""
    return content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :]


def everywhere(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Each byte with a bit flipped, and the file cut before it: 2 len(content) versions, each with its name."""
    for place in range(len(content)):
        yield f"bit {place % 8} of byte {place} flipped", flipped(content, place, place % 8)
        yield f"cut to {place} bytes", content[:place]


def anyhow(content: bytes, chosen: random.Random) -> tuple[str, bytes]:
    """One version that differs from the content, and its name."""
    size = len(content)
    while True:
        place = chosen.randrange(size)
        length = chosen.choice((1, 2, 8, SECTOR))
        match chosen.randrange(8):
            case 0:
                name, version = f"a bit of byte {place} flipped", flipped(content, place, chosen.randrange(8))
            case 1:
                name, version = f"cut to {place} bytes", content[:place]
            case 2:
                name, version = f"bytes {place}+{length} gone", content[:place] + content[place + length :]
            case 3:
                twice = content[place : place + length]
                name, version = f"bytes {place}+{length} twice", content[:place] + twice + content[place:]
            case 4:
                zeros = bytes(min(length, size - place))
                name, version = f"bytes {place}+{length} zero", content[:place] + zeros + content[place + length :]
            case 5:
                noise = chosen.randbytes(min(length, size - place))
                name, version = f"bytes {place}+{length} random", content[:place] + noise + content[place + length :]
            case 6:
                a, b = sorted(chosen.randrange(size // SECTOR + 1) * SECTOR for _ in range(2))
                swapped = content[b : b + SECTOR] + content[a + SECTOR : b] + content[a : a + SECTOR]
                name = f"sectors at {a} and {b} swapped"
                version = content[:a] + swapped + content[b + SECTOR :] if b > a else content
            case _:
                name, version = f"{length} bytes more", content + chosen.randbytes(length)
        if version != content:
            return name, version
