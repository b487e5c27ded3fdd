"""The host on which Keyturn runs: all inputs of a command besides its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from state.folders import Home

BROKER = "KEYTURN_ACCOUNT__BROKER"
"""The variable of `account.broker`."""


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

    def simulated(self) -> Self:
        """The same with the built-in exchange as its broker, for whatever it starts too (SY-09)."""
        return replace(self, environ={**self.environ, BROKER: "simulated"})
