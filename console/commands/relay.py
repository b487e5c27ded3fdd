"""`keyturn relay`: the server's end of a desk that is opened elsewhere."""

from __future__ import annotations

import typer

from console.commands.shared import host_of


def relay(context: typer.Context) -> None:
    """Bridge a desk at another machine to the engine of this one, over stdin and stdout; started through SSH.

    Example: ssh server keyturn relay
    """
    from console.commands.assembly.attach import STARTED, EngineNearby
    from console.commands.assembly.relay_bridge import RelayBridge
    from core.ports import OperatorError
    from core.protocol.errors import FrameError

    nearby = EngineNearby(host_of(context))
    bridge = RelayBridge(0, 1, nearby.connect, lambda: STARTED if nearby.has_started else "")
    try:
        bridge.run()
    except FrameError as error:
        raise OperatorError(f"relay: {error}") from None
    except (BrokenPipeError, ConnectionError):
        return
