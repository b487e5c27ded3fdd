"""`keyturn relay`: the server's end of a desk that is opened elsewhere."""

from __future__ import annotations

from typing import Annotated

import typer

from console.commands.shared import host_of


def relay(
    context: typer.Context,
    no_start: Annotated[bool, typer.Option("--no-start", help="Start no engine where none runs.")] = False,
) -> None:
    """Bridge a desk at another machine to the engine of this one, over stdin and stdout; started through SSH.

    A desk's first one starts an engine where none runs; where it attaches again it says --no-start.

    Example: ssh server keyturn relay
    """
    from console.commands.assembly.attach import STARTED, EngineNearby
    from console.commands.assembly.relay_bridge import RelayBridge
    from core.ports import OperatorError
    from core.protocol.errors import FrameError

    nearby = EngineNearby(host_of(context), may_start=not no_start)
    bridge = RelayBridge(0, 1, nearby.connect, lambda: STARTED if nearby.has_started else "")
    try:
        bridge.run()
    except FrameError as error:
        raise OperatorError(f"relay: {error}") from None
    except (BrokenPipeError, ConnectionError):
        return
