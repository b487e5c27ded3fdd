"""The process of the watchman, beside an engine (OP-09)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.settings.service import AdvisersSettings

PROGRAM = "console.commands.assembly.watchman_agent"
PATIENCE = 2.0
"""Seconds that it has to end."""


@contextmanager
def begun_watchman(socket: Path, version: str, terms: AdvisersSettings) -> Iterator[subprocess.Popen[bytes]]:
    """Run the watchman as an agent at this socket until the block ends; nothing of the environment reaches it."""
    figures = (terms.every_seconds, terms.answer_seconds, terms.most, terms.failures, terms.watchman.refusals)
    command = [sys.executable, "-I", "-B", "-m", PROGRAM, str(socket), version, *map(str, figures)]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", env={}
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
