"""Programs of this machine that a case needs: without them it is skipped by name."""

from __future__ import annotations

import os
import shutil

import pytest

SYSTEM = "/usr/sbin:/sbin"
"""Where sshd is, which not every path names."""


def path_of(tool: str) -> str | None:
    return shutil.which(tool, path=f"{os.environ.get('PATH', '')}:{SYSTEM}")


def needs(*tools: str) -> pytest.MarkDecorator:
    """Skip a case by name where a program is not installed."""
    missing = [tool for tool in tools if path_of(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {missing[0] if missing else ''}")
