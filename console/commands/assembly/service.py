"""What an engine has beside it where it runs without a desk: its log, and its health for whoever asks."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from console.commands.assembly.host import Host

if TYPE_CHECKING:
    from core.model.keys import Keys
    from core.runtime.base import Runtime
    from state.service_log.log import ServiceLog


def service_log(host: Host, runtime: Runtime, stack: ExitStack, keys: Iterable[Keys] = ()) -> ServiceLog:
    """The log of a runtime's account, from here until the stack ends. In the runtime's thread, before it runs.

    `keys` are those that adapters were handed: they are hidden wherever they stand.
    """
    from state.service_log.hiding import Hiding
    from state.service_log.log import ServiceLog

    secrets = [secret for pair in keys for secret in (pair.secret, pair.key_id)]
    folder = host.home.account(runtime.engine.state.account_name)
    log = stack.enter_context(ServiceLog(folder, Hiding(secrets, host.environ)))
    log.attach(runtime)
    return log
