"""Where this Keyturn runs: all that a command is given besides what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from state.folders import Home


@dataclass(frozen=True, slots=True)
class Host:
    """The environment, and the home that it names.

    Attributes
    ----------
    stage
        Settings that lie under what the operator wrote: the demo's. None elsewhere.
    """

    environ: Mapping[str, str]
    home: Home
    stage: Mapping[str, object] | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        return cls(environ, Home.of(environ))
