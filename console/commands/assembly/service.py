"""The log and the health endpoint of an engine without a desk."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from console.commands.assembly.host import Host

if TYPE_CHECKING:
    from core.model.api_contract import Keys
    from core.runtime.health import EngineFigures
    from core.runtime.runtime import Runtime
    from state.service_log.log import ServiceLog


def service_log(host: Host, runtime: Runtime, stack: ExitStack, keys: Iterable[Keys] = ()) -> ServiceLog:
    """Start the log of a runtime's account, until the stack ends. In the runtime's thread, before it runs.

    `keys` are the adapters' keys, which the log hides.
    """
    from state.credentials import addresses_in
    from state.service_log.lines import Hiding
    from state.service_log.log import ServiceLog

    secrets = [secret for pair in keys for secret in (pair.secret, pair.key_id)] + addresses_in(host.environ)
    folder = host.home.account(runtime.engine.state.account_name)
    log = stack.enter_context(ServiceLog(folder, Hiding(secrets, host.environ)))
    log.attach(runtime)
    return log


def service_health(
    host: Host, runtime: Runtime, stack: ExitStack, log: ServiceLog | None = None
) -> EngineFigures | None:
    """Serve `/healthz` and `/metrics` at the configured address until the stack ends; return None without an address.

    An address that cannot be used is reported and ends nothing.
    """
    from core.settings.service import SocketPlace, place_of

    settings = runtime.engine.state.control.settings.health
    place = place_of(settings.listen)
    if place is None:
        return None
    from core.runtime.health import EngineFigures, HealthServer, pages_of

    figures = EngineFigures(runtime, symbols=settings.symbols, log=log)
    if isinstance(place, SocketPlace):  # an absolute path is used unchanged
        place = SocketPlace(str(host.home.account(runtime.engine.state.account_name).path / place.path))
    try:
        server = HealthServer(place, pages_of(figures))
        stack.callback(server.close)
        server.start()
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        runtime.engine.say(f"health is not served at {settings.listen}: {why}; change health.listen and start again")
    return figures
