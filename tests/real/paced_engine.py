"""The demo's engine as a process, found by `keyturn relay` in its home; how fast its time runs stands in a file.

Arguments: the file with the virtual seconds a second.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import ExitStack, suppress
from importlib.metadata import version
from pathlib import Path

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.runtime.service.service import EngineService
from core.runtime.virtual import VirtualRuntime
from state.engine_socket import listening
from state.host_info import release
from tests.real.waiting import pause

LOOK = 0.1


def main() -> None:
    host = Host.of(os.environ)
    with ExitStack() as stack:
        runtime = demo_runtime(host, DemoOptions(profile="micro"), stack)
        folder = host.home.account(runtime.engine.state.account_name)
        listener = stack.enter_context(listening(folder.engine_socket))
        signal.signal(signal.SIGTERM, lambda *_: runtime.leave())
        threading.Thread(target=keep_pace, args=(runtime, Path(sys.argv[1])), daemon=True).start()
        EngineService(runtime, listener, release(version("keyturn"))).run("stopped")


def keep_pace(runtime: VirtualRuntime, speed: Path) -> None:
    while True:
        with suppress(OSError, ValueError):
            runtime.pace.speed = float(speed.read_text())
        pause(LOOK)


if __name__ == "__main__":
    main()
