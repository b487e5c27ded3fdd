"""An engine that is served by a process of its own, as `keyturn engine run` serves one; and what the process holds.

Arguments of the program: `stress`, `demo` or `busy`, and virtual seconds a second.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from core.model.desk import Seat
from core.ports import OperatorError
from tests.real.waiting import pause

ROOT = Path(__file__).resolve().parents[2]
RELEASE = "bench"
STARTS = 60.0
"""Seconds that an engine has until it listens, or a desk until it has a picture."""
TRADES_ON = (
    "risk.protections.equity_curve.enabled=false",
    "risk.protections.loss_streak.enabled=false",
    "execution.breaker_openings=100",
    "evaluation.enabled=false",
    "risk.entries_a_day=15",
)
"""For a busy engine: with these protections its losing strategy would open nothing after two days, an exchange that
loses answers would latch the breaker on the first, and the strategy would be retired after two weeks. It opens as many
positions a day as a busy person turns the key for."""
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    kind, speed = sys.argv[1], float(sys.argv[2])
    from console.commands.assembly.engine_process import service_log
    from console.commands.assembly.host import Host
    from console.commands.assembly.simulated import DemoOptions, demo_runtime, stress_runtime
    from core.runtime.service.service import EngineService
    from state.engine_socket import listening

    host = Host.of(os.environ)
    operator, overrides = ("confirm-all", TRADES_ON) if kind == "busy" else ("none", ())
    options = DemoOptions(speed=speed, operator=operator, overrides=overrides)
    with ExitStack() as stack:
        runtime = (stress_runtime if kind == "stress" else demo_runtime)(host, options, stack)
        folder = host.home.account(runtime.engine.state.account_name)
        listener = stack.enter_context(listening(folder.engine_socket))
        service_log(host, runtime, stack)
        service = EngineService(runtime, listener, RELEASE)
        signal.signal(signal.SIGTERM, lambda *_: runtime.leave())
        service.run("stopped")


@dataclass
class Alone:
    """An engine's process, and the home that it keeps."""

    process: subprocess.Popen[bytes]
    home: Path
    started_in: float

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def folder(self) -> Path:
        return next(self.home.glob("state/*/engine.sock")).parent

    @property
    def socket(self) -> Path:
        return self.folder / "engine.sock"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(STARTS)


def seat() -> Seat:
    return Seat("/dev/pts/7", "bench")


def started(home: Path, kind: str, speed: float) -> Alone:
    """Once it listens."""
    from state.engine_socket import connected

    began = time.perf_counter()
    for left in home.glob("state/*/engine.sock"):
        left.unlink()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.engine_alone", kind, str(speed)],
        cwd=ROOT,
        env={**os.environ, "KEYTURN_HOME": str(home)},
    )
    while time.perf_counter() < began + STARTS:
        for path in home.glob("state/*/engine.sock"):
            with suppress(OperatorError, OSError):
                connected(path, 1.0).close()
                return Alone(process, home, time.perf_counter() - began)
        if process.poll() is not None:
            break
        pause(0.005)
    process.kill()
    raise TimeoutError(f"the engine does not listen; its exit status is {process.wait()}")


@contextmanager
def alone(home: Path, kind: str, speed: float = 1.0) -> Iterator[Alone]:
    engine = started(home, kind, speed)
    try:
        yield engine
    finally:
        if engine.process.poll() is None:
            engine.process.kill()
            engine.process.wait()


def waited(holds: Callable[[], bool], what: str, seconds: float = STARTS, step: float = 0.001) -> None:
    end = time.perf_counter() + seconds
    while not holds():
        if time.perf_counter() > end:
            raise TimeoutError(f"{what}: not in {seconds:g} s")
        pause(step)


# ── what a process holds ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Memory:
    """MiB.

    Attributes
    ----------
    own
        What no other process shares (USS); `share` is that and its part of the rest (PSS).
    heap
        What comes from no file: of the rest it depends on others whether it counts as shared.
    """

    resident: float
    share: float
    own: float
    heap: float

    def __str__(self) -> str:
        return f"RSS {self.resident:.1f}, PSS {self.share:.1f}, USS {self.own:.1f} MiB"


def memory(pid: int) -> Memory:
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    figures = {name: int(words.split()[0]) / 1024 for name, _, words in (row.partition(":") for row in rows)}
    return Memory(
        figures["Rss"], figures["Pss"], figures["Private_Clean"] + figures["Private_Dirty"], figures["Anonymous"]
    )


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def size_of(*paths: Path) -> int:
    """Bytes of files, and of all that lies in folders."""
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))]
    return sum(file.stat().st_size for file in files if file.is_file())


if __name__ == "__main__":
    main()
