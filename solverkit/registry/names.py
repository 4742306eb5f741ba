"""What methods, kinds, sources, commands and distributions may be called."""

from __future__ import annotations

import re

NAME = re.compile(r"[A-Za-z_][\w-]{0,63}", re.ASCII)


def normalized(distribution: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
