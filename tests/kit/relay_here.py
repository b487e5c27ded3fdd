"""The relay of a desk elsewhere, to an engine whose socket is named: `keyturn relay` once it has found one."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from console.commands.assembly.relay_bridge import RelayBridge
from state.engine_socket import connected

if __name__ == "__main__":
    with suppress(ConnectionError):
        RelayBridge(0, 1, lambda: connected(Path(sys.argv[1]), 2.0), lambda: "the engine was started").run()
