"""The host on which Keyturn runs: all inputs of a command besides its arguments."""

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
        Settings below the operator's own: the demo's. None elsewhere.
    """

    environ: Mapping[str, str]
    home: Home
    stage: Mapping[str, object] | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        return cls(environ, Home.of(environ))
