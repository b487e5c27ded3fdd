"""The engine as a service: run it, start it, wait for it, stop or restart it, with its log and health endpoint
(SY-02).

A watchdog started by a service manager stays in place: its sandbox, limits and keys apply to the new engine too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from console.commands.assembly.host import Host, own_program
from console.commands.assembly.settings import is_simulated, settings_of
from core.ports import OperatorError
from state.files import AccountFolder
from state.running_engine import holder
from state.watchdog.presence import ask_to_restart, last_said, watchdog_of

if TYPE_CHECKING:
    from core.model.api_contract import Keys
    from core.runtime.health import EngineFigures
    from core.runtime.runtime import Runtime
    from core.settings.settings import Settings
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


TOLD_EVERY = 5.0
"""Seconds between two lines about an engine that comes up."""
STOP_TIMEOUT = 10.0
"""Time-out of a stop in seconds: the engine finishes its act, waits for outstanding answers and closes its journal."""
LOOK = 0.02

T = TypeVar("T")


class NotInTimeError(OperatorError):
    """The engine did not react in time."""


def running_account(host: Host) -> AccountFolder | None:
    """Return the configured account if its engine runs in any process; otherwise None.

    The broker is not asked: if its name for the account is not known yet, no engine of ours ever ran on it.
    """
    from state.running_engine import holder

    folder = known_account(host)
    return folder if folder is not None and holder(folder) is not None else None


def known_account(host: Host) -> AccountFolder | None:
    """Return the account that `keyturn` opens, if known without asking the broker. Raises `OperatorError`."""
    settings = settings_of(host)
    if is_simulated(settings):
        from console.commands.assembly.simulated import DemoOptions, demo_folder

        return demo_folder(host, DemoOptions())
    from console.commands.assembly.at_a_broker import real_broker
    from console.commands.assembly.settings import mode_of
    from state.credentials import KnownAccounts, find_keys

    name = KnownAccounts(host.home).name_of(
        find_keys(host.environ, mode_of(host, settings), real_broker(settings).keys)
    )
    return None if name is None else host.home.account(name)


def service_agents(host: Host, runtime: Runtime, stack: ExitStack) -> None:
    """Serve the agents of the settings at `agents.sock` until the stack ends, from the beat at which there is one.

    A socket that cannot be opened is reported and ends nothing. In the runtime's thread, before it runs, and only for
    the holder of the account's lock.
    """
    is_served = False

    def look() -> None:
        nonlocal is_served
        if not is_served and runtime.engine.state.control.settings.all_agents:
            is_served = True
            _serve_agents(host, runtime, stack)

    look()
    if not is_served:
        runtime.each_beat(look)


def _serve_agents(host: Host, runtime: Runtime, stack: ExitStack) -> None:
    state = runtime.engine.state
    settings = state.control.settings
    from importlib.metadata import version

    from core.runtime.service.agent_socket import AgentService
    from state.engine_socket import listening
    from state.host_info import release

    path = host.home.account(state.account_name).agents_socket
    try:
        listener = stack.enter_context(listening(path))
    except (OperatorError, OSError) as error:
        runtime.engine.say(f"agents are not served: {error}")
        return
    agents = AgentService(runtime, listener, release(version("keyturn")))
    stack.callback(agents.end)
    agents.begin()
    if settings.advisers.watchman.enabled:
        from console.commands.assembly.watchman import begun_watchman

        stack.enter_context(begun_watchman(path, release(version("keyturn")), settings.advisers))


def service_views(host: Host, runtime: Runtime, stack: ExitStack) -> None:
    """Show the desk of a demo to commands until the stack ends; a socket that cannot be opened ends nothing.

    In the runtime's thread, before it runs, and only for the holder of the account's lock.
    """
    from importlib.metadata import version

    from core.runtime.service.view_service import ViewService
    from state.engine_socket import listening
    from state.host_info import release

    try:
        listener = stack.enter_context(listening(host.home.account(runtime.engine.state.account_name).views_socket))
    except (OperatorError, OSError) as error:
        runtime.engine.say(f"no command is shown this desk: {error}")
        return
    views = ViewService(runtime, listener, release(version("keyturn")))
    stack.callback(views.end)
    views.begin()


def run_service(host: Host) -> None:
    """Run the engine of the configured account in this process, until a signal ends it."""
    from importlib.metadata import version

    from core.model.session import NoSession
    from core.runtime.service.service import EngineService
    from state.engine_socket import listening
    from state.host_info import release
    from state.housekeeping import QuietCollections

    settings = settings_of(host)
    with ExitStack() as stack:
        runtime, folder, keys = _runtime(host, settings, stack)
        for name in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):  # before another process can find the engine
            signal.signal(name, lambda *_: runtime.leave())
        listener = stack.enter_context(listening(folder.engine_socket))
        service_health(host, runtime, stack, service_log(host, runtime, stack, keys))
        service = EngineService(runtime, listener, release(version("keyturn")))
        service_agents(host, runtime, stack)
        from core.model.text_sanitizer import harmless

        for note in runtime.engine.notes:
            sys.stderr.write(f"keyturn: {harmless(note)}\n")
        calendar = runtime.engine.state.calendar
        collections = QuietCollections(
            time.monotonic(), lambda: not isinstance(calendar.session_at(runtime.clock()), NoSession)
        )
        runtime.each_beat(lambda: collections.look(time.monotonic()))
        service.run("stopped")
        if runtime.engine.disk_trouble is not None:
            raise OperatorError(f"halted, nothing more was sent: {runtime.engine.disk_trouble}")
    for words in runtime.last_words:
        sys.stderr.write(f"keyturn: {harmless(words)}\n")


def _runtime(host: Host, settings: Settings, stack: ExitStack) -> tuple[Runtime, AccountFolder, tuple[Keys, ...]]:
    if is_simulated(settings):
        from console.commands.assembly.simulated import DemoOptions, demo_folder, demo_runtime

        options = DemoOptions()
        return demo_runtime(host, options, stack), demo_folder(host, options), ()
    from console.commands.assembly.at_a_broker import live_runtime, real_broker
    from console.commands.assembly.settings import mode_of
    from state.credentials import find_keys

    mode = mode_of(host, settings)
    keys = find_keys(host.environ, mode, real_broker(settings).keys)
    runtime = live_runtime(host, settings, mode, keys, stack)
    return runtime, host.home.account(runtime.engine.state.account_name), (keys,)


class Started(NamedTuple):
    """The listening engine; `is_ours` is False if another process started it at the same time."""

    folder: AccountFolder
    pid: int
    is_ours: bool


def start_service(host: Host, say: Callable[[str], None] | None = None) -> Started:
    """Start an engine in the background, and wait until it listens: as long as it or its watchdog lives.

    The watchdog ends one that does not come up (`starting_seconds`), and itself after three. `say` is told every few
    seconds what is waited for.

    Raises OperatorError: it ended, with its own message.
    """
    from state.running_engine import holder
    from state.watchdog.presence import watchdog_of

    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            own_program("engine", "watch"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=dict(host.environ),
            cwd="/",
        )

        def look() -> Started | None:
            folder = known_account(host)
            if folder is None or holder(folder) is None or not is_listening(folder):
                return None
            is_ours = child.poll() is None and watchdog_of(folder) in (None, child.pid)
            return Started(folder, holder(folder) or child.pid, is_ours)

        def comes_up() -> bool:
            folder = known_account(host)
            return child.poll() is None or (folder is not None and holder(folder) is not None)

        if (started := awaited(look, comes_up, lambda: what_it_does(known_account(host)), say)) is not None:
            return started
        output.seek(0)
        words = own_words(output.read().decode(errors="replace"))
        raise OperatorError(words or "the engine ended at once, without a word; `keyturn doctor` looks why")


def awaited(
    look: Callable[[], T | None],
    comes_up: Callable[[], bool],
    what: Callable[[], str],
    say: Callable[[str], None] | None = None,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T | None:
    """Look until there is something; None if nothing comes up any more."""
    began = told = now()
    while (found := look()) is None:
        if not comes_up():
            return None
        if say is not None and now() - told >= TOLD_EVERY:
            told = now()
            say(f"the engine comes up, {told - began:.0f} s: {what()}")
        sleep(LOOK)
    return found


def what_it_does(folder: AccountFolder | None) -> str:
    """Return what an engine does that does not listen yet, as far as its files show it."""
    from state.running_engine import holder

    if folder is None:
        return "the broker is asked which account this is"
    if holder(folder) is None:
        return "its program is loaded"
    size = 0
    with suppress(OSError):  # no folder yet, or a segment that is compressed just now
        size = sum(path.stat().st_size for path in folder.journal.iterdir())
    return f"it reads its journal, {size / 1e6:.1f} MB"


def what_stays_open(folder: AccountFolder) -> list[str]:
    """Return the positions and orders left without the engine, one per line, by its last heartbeat."""
    from state.running_engine import read_heartbeat

    found = read_heartbeat(folder)
    if found is None:
        return ["how it stands is not known: it has written no heartbeat"]
    status, _age = found
    lines = [f"no stop guards {words}" for words in status.uncovered]
    lines += [f"exits signed for {words} go out only while the engine runs" for words in status.unattended]
    if status.orders_working:
        lines.append(f"orders that stay at the broker: {status.orders_working}")
    if status.positions:
        lines.append(f"positions that stay held: {status.positions}; what the engine itself watches is watched no more")
    return lines or ["nothing is held and no order works"]


def is_listening(folder: AccountFolder) -> bool:
    """Whether an engine accepts connections there."""
    from state.engine_socket import NoEngineError, connected

    try:
        connected(folder.engine_socket, 1.0).close()
    except NoEngineError:
        return False
    return True


def stop_service(folder: AccountFolder, timeout: float = STOP_TIMEOUT) -> bool:
    """Ask the engine to end, and wait for it; False if none ran. Raises `NotInTimeError`."""
    from state.running_engine import UNKNOWN_PID, holder

    pid = holder(folder)
    if pid is None:
        return False
    if pid == UNKNOWN_PID:
        raise NotInTimeError("the engine is just starting; ask again in a second")
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + timeout
    while holder(folder) == pid:
        if time.monotonic() > until:
            raise NotInTimeError(f"process {pid} did not end in {timeout:g} s; `keyturn status` says how it is")
        time.sleep(LOOK)
    return True


def own_words(text: str) -> str:
    """Return the engine's last line, or else its watchdog's."""
    lines = [line for line in text.splitlines() if line.strip()]
    its_own = [line for line in lines if not line.startswith("keyturn watchdog: ")]
    return (its_own or lines)[-1].removeprefix("keyturn: ") if lines else ""


def restarted(host: Host) -> tuple[AccountFolder, int, bool]:
    """Return the account, its new engine's process number, and whether one ran before.

    Raises `OperatorError`, OSError.
    """
    folder = known_account(host)
    before = None if folder is None else holder(folder)
    watchdog = None if folder is None else watchdog_of(folder)
    if folder is not None and watchdog is not None:
        ask_to_restart(watchdog)
        return folder, _another(folder, watchdog, before), True
    if folder is not None and before is not None:
        stop_service(folder)
    started = start_service(host)
    return started.folder, started.pid, before is not None


def _another(folder: AccountFolder, watchdog: int, before: int | None) -> int:
    """Return the process number of the new engine once it listens; the watchdog ends if none comes up."""

    def look() -> int | None:
        pid = holder(folder)
        return pid if pid and pid != before and is_listening(folder) else None

    pid = awaited(look, lambda: watchdog_of(folder) == watchdog, lambda: what_it_does(folder))
    if pid is not None:
        return pid
    said = last_said(folder).removeprefix("keyturn: ")
    raise OperatorError(said or f"the new engine ended at once; {folder.watchdog_log} has its words")
