"""Programs of this machine that a case may need."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

SYSTEM = "/usr/sbin:/sbin"
"""Where sshd is, which not every path names."""


def path_of(tool: str) -> str | None:
    return shutil.which(tool, path=f"{os.environ.get('PATH', '')}:{SYSTEM}")


def needs(*tools: str) -> pytest.MarkDecorator:
    """Skip a case by name where a program is not installed."""
    missing = [tool for tool in tools if path_of(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {missing[0] if missing else ''}")


@cache
def may_mount(folder: Path) -> bool:
    """Whether a file system may be mounted on this folder; it is unmounted again."""
    asked = ["mount", "-t", "tmpfs", "-o", "size=64k", "keyturn-tests", str(folder)]
    if path_of("mount") is None or subprocess.run(asked, capture_output=True, check=False).returncode != 0:
        return False
    subprocess.run(["umount", str(folder)], check=True)
    return True
