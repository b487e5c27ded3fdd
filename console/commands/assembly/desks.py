"""Open a desk: check for a terminal, and skip parsing without options.

`keyturn` and `keyturn demo` without options need no parser. Typer and pydantic are then imported after the first paint
or never. The effect is that of the parsed command.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from console.commands.assembly.attach import attach
from console.commands.assembly.engine_process import service_agents, service_health, service_log, service_views
from console.commands.assembly.host import Host, own_program
from console.commands.assembly.settings import display_of
from console.commands.assembly.simulated import DemoOptions, demo_folder, demo_runtime, stress_folder, stress_runtime
from core.ports import OperatorError

if TYPE_CHECKING:
    from core.runtime.virtual import VirtualRuntime


WITHOUT_ONE = (
    "without one: `keyturn demo --headless --operator confirm-all --speed 300`, or "
    "`keyturn replay FILE --headless --json`"
)
NO_TERMINAL = f"this needs a terminal; {WITHOUT_ONE}"
DUMB = f"TERM=dumb: this terminal cannot place text; set TERM to what it is (`TERM=xterm-256color`); {WITHOUT_ONE}"
NO_ERROR_OUTPUT = (
    f"the desk is drawn on standard error, and that is no terminal: run it without `2>` and without a pipe for it; "
    f"{WITHOUT_ONE}"
)
PAINTS_A_SECOND = "240"
"""Textual's frame rate limit.

Its timer skips a tick after a paint longer than one: at its default of 60 a key pressed during a paint waits up to 33
ms.
"""
COMPLETION = "_KEYTURN_COMPLETE"
"""The variable by which a shell asks for completions; it calls the program without arguments."""


def open_plainly(
    words: Sequence[str], environ: Mapping[str, str], opens: Mapping[tuple[str, ...], Callable[[], None]]
) -> bool:
    """Open the desk named by exactly these `words`. Return False, without effect, if they need parsing."""
    opened = opens.get(tuple(words))
    if opened is None or COMPLETION in environ:
        return False
    prepare()
    opened()
    return True


def prepare() -> None:
    """Refuse without a terminal, and disable garbage collection until the first paint."""
    need_a_terminal()
    os.environ.setdefault("TEXTUAL_FPS", PAINTS_A_SECOND)  # Textual reads it on import
    gc.disable()  # objects loaded for the first paint stay; `console.desk` enables it again


def need_a_terminal() -> None:
    """Refuse, with an alternative, if nobody could see the desk or type."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise OperatorError(NO_TERMINAL)
    if not sys.stderr.isatty():
        raise OperatorError(NO_ERROR_OUTPUT)
    if os.environ.get("TERM", "") == "dumb":
        raise OperatorError(DUMB)


def open_desk(host: Host, destination: str | None = None) -> None:
    """Open a desk on the engine of the configured account, or of another machine.

    The engine continues after the desk is left.
    """
    if destination is None:
        attach(host)
        return
    from console.commands.assembly.attach import attach_elsewhere

    attach_elsewhere(host, destination)


def open_demo(host: Host, options: DemoOptions, *, is_stress: bool = False) -> None:
    """Open the demo's desk, or the stress desk."""
    from console.client.handle import EngineHandle
    from console.run import run_desk
    from state.desk_files import DeskFiles

    runtime_of = stress_runtime if is_stress else demo_runtime
    files = DeskFiles(
        host.home, lambda: stress_folder(host) if is_stress else demo_folder(host, options), program=own_program
    )

    def build(stack: ExitStack) -> VirtualRuntime:
        runtime = runtime_of(host, options, stack)
        service_agents(host, runtime, stack)
        service_views(host, runtime, stack)
        return runtime

    run_desk(EngineHandle(build), files, display_of(host, options.overrides))


def run_demo(host: Host, options: DemoOptions, *, is_stress: bool = False) -> None:
    """Run the demo's or the stress desk's engine without a desk, until a signal ends it."""
    runtime_of = stress_runtime if is_stress else demo_runtime
    with ExitStack() as stack:
        runtime = runtime_of(host, options, stack)
        service_health(host, runtime, stack, service_log(host, runtime, stack))
        service_agents(host, runtime, stack)
        service_views(host, runtime, stack)
        run_headless(runtime, "left")


def run_headless(runtime: VirtualRuntime, reason: str) -> bool:
    """Run in this thread until the end; a signal finishes the current act, and then False is returned.

    Raises OperatorError: the journal could not be written; the result cannot be trusted.
    """
    for name in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(name, lambda *_: runtime.leave())
    from core.model.text_sanitizer import harmless

    gc.freeze()
    for note in runtime.engine.notes:
        sys.stderr.write(f"keyturn: {harmless(note)}\n")
    runtime.run()
    is_whole = runtime.is_running
    runtime.stop(reason)
    if runtime.engine.disk_trouble is not None:
        raise OperatorError(f"halted, nothing more was sent: {runtime.engine.disk_trouble}")
    return is_whole
