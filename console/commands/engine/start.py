"""`keyturn engine start`: start the engine in the background, independent of this terminal."""

from __future__ import annotations

import typer

from console.commands.assembly.engine_process import running_account, start_service
from console.commands.shared import host_of, say


def start(context: typer.Context) -> None:
    """Start the engine of the configured account and wait until desks can attach, however long its journal takes.

    Example: keyturn engine start && keyturn
    """
    host = host_of(context)
    attaches, ends = f"`{host.program}` attaches a desk", f"`{host.program} engine stop` ends it"
    running = running_account(host)
    if running is not None:
        say(f"{running.name}: its engine runs already; {attaches}")
        return
    folder, pid, is_ours = start_service(host, lambda words: say(words, err=True))
    if not is_ours:
        say(f"{folder.name}: its engine runs already, process {pid}, by another start; {attaches}")
        return
    say(f"{folder.name}: the engine runs, process {pid}; {attaches}, {ends}")
