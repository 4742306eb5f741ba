"""The base of every method's options: one Pydantic model, the only place where they are written down."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """Immutable; an unknown name is an error. Give every field a description: meaning, symbol, equation."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)
