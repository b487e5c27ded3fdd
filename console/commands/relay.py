"""`keyturn relay`: the server side of a desk on another machine."""

from __future__ import annotations

from typing import Annotated

import typer

from console.commands.shared import host_of


def relay(
    context: typer.Context,
    no_start: Annotated[bool, typer.Option("--no-start", help="Do not start an engine if none runs.")] = False,
) -> None:
    """Bridge a desk on another machine to this machine's engine, over stdin and stdout; started through SSH.

    It starts an engine if none runs, except with --no-start, which a desk passes when it attaches again.

    Example: ssh server keyturn relay
    """
    from console.commands.assembly.attach import STARTED, EngineNearby
    from console.commands.assembly.relay_bridge import RelayBridge
    from core.ports import OperatorError
    from core.protocol.codec import FrameError

    nearby = EngineNearby(host_of(context), may_start=not no_start)
    bridge = RelayBridge(0, 1, nearby.connect, lambda: STARTED if nearby.has_started else "")
    try:
        bridge.run()
    except FrameError as error:
        raise OperatorError(f"relay: {error}") from None
    except (BrokenPipeError, ConnectionError):
        return
