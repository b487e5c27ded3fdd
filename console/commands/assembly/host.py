"""The host on which Keyturn runs: all inputs of a command besides its arguments, and the program's own command
line.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Self

from core.model.lazy_dataclass import dataclass
from state.files import Home

BROKER = "KEYTURN_ACCOUNT__BROKER"
"""The variable of `account.broker`."""


@dataclass(frozen=True, slots=True)
class Host:
    """The environment, and the home that it names.

    Attributes
    ----------
    stage
        Settings below the operator's own: the demo's. None elsewhere.
    program
        How this command was called, for words that name another one: with `--simulated` only the same finds its engine.
    """

    environ: Mapping[str, str]
    home: Home
    stage: Mapping[str, object] | None = None
    program: str = "keyturn"

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        return cls(environ, Home.of(environ))

    def simulated(self) -> Self:
        """The same with the built-in exchange as its broker, for whatever it starts too (SY-09)."""
        environ = {**self.environ, BROKER: "simulated"}
        return replace(self, environ=environ, program="keyturn --simulated")


KEEPS_OUT_THE_FOLDER = "-P"
"""Keeps Python from importing modules of the current folder."""


def own_program(*words: str) -> list[str]:
    """Return the command for `keyturn WORDS` with the current interpreter, also without `keyturn` on the path."""
    return [sys.executable, KEEPS_OUT_THE_FOLDER, "-m", "app", *words]
