"""A process with secrets leaves no core dump (SY-06)."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.runtime.notifier.process import Notifier
from tests.real.test_notifier_process import a_notifier, notifiers, web  # noqa: F401
from tests.wire.receivers import WebServer

DIES = """
import ctypes, os, resource, sys
most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
if sys.argv[1] == "forbid":
    from core.io.core_dumps import GET_DUMPABLE, forbid_core_dumps
    forbid_core_dumps()
    print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(GET_DUMPABLE, 0, 0, 0, 0), flush=True)
os.abort()
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prctl")


def test_no_core_is_written(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    died = subprocess.run(
        [sys.executable, "-c", DIES, "forbid"],
        cwd=tmp_path, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (died.returncode, died.stdout.strip()) == (-signal.SIGABRT, "(0, 0) 0")
    assert [*tmp_path.iterdir()] == []


def test_the_notifier_writes_none(web: WebServer, notifiers: list[Notifier]) -> None:  # noqa: F811
    from tests.real.test_notifier_process import FILL

    notifier = a_notifier(notifiers, {"phone": web.ntfy})
    notifier.deliver("phone", FILL)
    assert notifier._worker is not None
    limits = Path(f"/proc/{notifier._worker._process.pid}/limits").read_text().splitlines()

    (core,) = [line.split() for line in limits if line.startswith("Max core file size")]
    assert core[-3:-1] == ["0", "0"]
