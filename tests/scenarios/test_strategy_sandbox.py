"""Strategies that attack: what each tries from inside of its process, that nothing comes of it, and that it is said.

The text is judged for slips before it runs; whoever attacks gets around that, and these do.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import OrderCreated, ProposalStaged, StrategyFailed, StrategyPaused
from core.messages.commands import ResumeStrategy
from core.runtime.strategy_host import process, sandbox
from core.strategies.builtin import StrategyKinds
from core.views import StrategyRow
from core.views.builders.strategies import strategy_rows
from state.engine_socket import listening
from state.user_strategies import look_at
from tests.kit.warm_processes import cold
from tests.scenarios.house import House, minutes, running
from tests.scenarios.own import (
    ANSWERS,
    WAITS,
    Watching,
    endless_from,
    kind_of,
    kinds_of,
    remembered,
    settings_with,
    text_of,
)
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY

filtered = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.uname().machine not in sandbox.MACHINES,
    reason="what holds elsewhere is named in docs/STRATEGIES.md",
)

ATTACK = """

class Attacking(Watching):
    name = "attacking"

    def on_bar(self, bar, context):
        answer = super().on_bar(bar, context)
        if "09:40" <= clock_of(bar):
            self.attack(bar, context)
        return answer

    def attack(self, bar, context):
"""


def attacking(body: str) -> str:
    return text_of(Watching) + ATTACK + "".join(f"        {line}\n" for line in body.strip().splitlines())


FRAMES = """
frame = __import__("sys")._getframe()
while frame is not None:
    for found in [*frame.f_locals.values(), *frame.f_globals.values()]:
        for name in ("desk", "engine", "gateway", "orchestrator", "journal"):
            if hasattr(found, name):
                getattr(found, name).record("attack")
    frame = frame.f_back
raise RuntimeError("no desk in any frame")
"""
SUBCLASSES = """
names = {str(kind.__module__) for kind in object.__subclasses__()} | set(__import__("sys").modules)
rooms = ("core.trading_state.state", "core.engine", "core.execution", "core.brokers", "state", "console")
found = [name for name in names if name.startswith(rooms)]
raise RuntimeError(f"{len(found)} rooms of the desk")
"""
IMPORT_HOOKS = """
class Hook:
    def find_spec(self, name, path=None, target=None):
        raise RuntimeError("hooked " + name)
__import__("sys").meta_path.insert(0, Hook())
__import__("core.engine")
"""
CTYPES = """
os, libc = __import__("os"), __import__("sys").modules["ctypes"].CDLL(None, use_errno=True)
calls = [libc.kill(os.getpid() - 1, 9), libc.kill(-1, 9), libc.open(b"{secret}", 0), libc.unlink(b"{secret}")]
calls += [libc.socket(2, 1, 0), libc.fork(), libc.ptrace(16, 1, 0, 0), libc.execl(b"/bin/sh", b"sh", None)]
raise PermissionError(f"{calls.count(-1)} of 8 calls are refused")
"""
THREADS = """
threading = __import__("threading")
def work():
    while True:
        pass
for _ in range(50):
    threading.Thread(target=work, daemon=True).start()
"""
CHANGED_MODELS = """
wire = __import__("sys").modules["core.runtime.strategy_host.pipe_messages"]
EntrySignal.__init__ = lambda *_: None
NoTradeReason.NO_SETUP._value_ = "BUY"
framed, wire.LARGEST = wire.framed, 1 << 40
wire.framed = lambda _: framed(["answer", ["enter", "1e99", "-1", "1e9", "1", "attack", None, None], {}])
"""
ENDLESS = """
while True:
    try:
        pass
    except BaseException:
        continue
"""
MEMORY = """
self.all = [bytes(1 << 26) for _ in range(64)]
"""
FORKS = """
while True:
    __import__("os").fork()
"""
FILES = """
os, through = __import__("os"), []
ways = [open, os.unlink, os.stat, os.listdir, lambda path: os.rename(path, path + ".gone")]
ways += [lambda path: os.truncate(path, 0), lambda path: os.chmod(path, 0o666), lambda path: os.open(path, os.O_RDWR)]
for path in ("{secret}", "/etc/passwd", "/proc/self/environ", "/"):
    for way in ways:
        try:
            way(path)
        except OSError:
            continue
        through.append(path)
raise RuntimeError(f"{len(through)} went through, {len(os.environ)} words of an environment")
"""
SOCKET = """
os, path, through = __import__("os"), "{socket}", []
libc = __import__("sys").modules["ctypes"].CDLL(None, use_errno=True)
address = (1).to_bytes(2, "little") + path.encode() + bytes(1)
ways = [lambda: __import__("socket").socket(1, 1), lambda: os.open(path, 0), lambda: os.stat(path)]
ways += [lambda: os.listdir(path.rpartition("/")[0]), lambda: open("/proc/net/unix")]
for way in ways:
    try:
        through.append(way())
    except (OSError, ImportError):
        continue
calls = [libc.socket(1, 1, 0), libc.socketpair(1, 1, 0, bytes(8)), libc.connect(0, address, len(address))]
through += [made for made in calls if made >= 0]
raise RuntimeError(f"{len(through)} ways to the socket")
"""
KEYRING = """
__import__("keyring").get_password("keyturn", "paper")
"""
PIPE = """
__import__("os").write(1, bytes([0, 0, 0, 2]) + b"[]")
"""
CRASH = """
__import__("sys").modules["ctypes"].string_at(0)
"""


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """What only its owner may read, as a key or a journal."""
    path = tmp_path / "journal-000001.jsonl"
    path.write_text("keep me")
    path.chmod(0o600)
    return path


@pytest.fixture
def engine_socket() -> Iterator[tuple[Path, socket.socket]]:
    """As it lies in an account's folder, with somebody listening."""
    with TemporaryDirectory() as folder, listening(Path(folder) / "engine.sock") as listener:
        listener.setblocking(False)
        yield Path(folder) / "engine.sock", listener


TOLD: dict[str, tuple[str, str]] = {
    "frames": (FRAMES, "RuntimeError: no desk in any frame"),
    "subclasses": (SUBCLASSES, "RuntimeError: 0 rooms of the desk"),
    "ctypes": (CTYPES, "PermissionError: 8 of 8 calls are refused"),
    "threads": (THREADS, "RuntimeError: can't start new thread"),
    "forks": (FORKS, "PermissionError"),
    "files": (FILES, "RuntimeError: 0 went through, 0 words of an environment"),
    "engine_socket": (SOCKET, "RuntimeError: 0 ways to the socket"),
    "keyring": (KEYRING, ""),
    "import_hooks": (IMPORT_HOOKS, "RuntimeError: hooked core.engine"),
}
"""What each attack raises in its process, which goes on."""
LOST = {
    "changed_models": (CHANGED_MODELS, "raised LostError: its process wrote what is no answer"),
    "endless": (ENDLESS, "took 2,000 ms for a bar"),
    "memory": (MEMORY, "raised LostError: its process took more memory than it may"),
    "pipe": (PIPE, "raised LostError: its process"),
}
"""How the process of each is lost."""


def row_of_the_attacker(house: House) -> StrategyRow:
    return next(r for r in strategy_rows(house.desk, THURSDAY, house.line.at) if r.strategy == "attacking")


def all_of(attacks: dict[str, tuple[str, str]]) -> str:
    """One bar, on which each is tried after the other; what they raised is raised together."""
    tried = "said = []\n"
    for name, (body, _) in attacks.items():
        inner = "".join(f"    {line}\n" for line in body.strip().splitlines())
        tried += f"def {name}():\n{inner}"
        tried += f"try:\n    {name}()\nexcept Exception as error:\n"
        tried += "    said.append(type(error).__name__ + ': ' + str(error))\nelse:\n    said.append('no fault')\n"
    return tried + "raise RuntimeError(' | '.join(said))"


@filtered
@pytest.mark.parametrize("name", ["told", *LOST])
def test_attack_makes_no_order_and_is_reported(
    name: str, secret: Path, engine_socket: tuple[Path, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """ST-01, ST-07, SY-01: the bars of the others go on, and the desk; nobody came to the socket."""
    monkeypatch.setattr(process, "A_MOMENT", ANSWERS)
    path, listener = engine_socket
    body = all_of(TOLD) if name == "told" else LOST[name][0]
    text = attacking(body.replace("{secret}", str(secret)).replace("{socket}", str(path)))
    attacker = kind_of("attacking", text)
    if name == "endless":
        attacker = endless_from(attacker, "09:40")
    kinds = StrategyKinds({**kinds_of(Watching).known, "attacking": attacker}, {})
    settings = settings_with("attacking", "watching", vwap=False, strategies={"faults": 1})
    house = House(minutes("09:30", "09:50"), settings, kinds=kinds).opens().until("09:45")

    (failed,) = house.facts(StrategyFailed)
    row = row_of_the_attacker(house)
    assert failed.strategy == "attacking"
    assert [each.strategy for each in house.facts(StrategyPaused)] == ["attacking"]
    if name == "told":
        reported = failed.reason.removeprefix("RuntimeError: ").split(" | ")
        assert len(reported) == len(TOLD), reported
        for each, (_, said) in zip(reported, TOLD.values(), strict=True):
            assert each.startswith(said)
            assert each != "no fault"
    else:
        assert LOST[name][1] in row.trouble
    assert house.facts(ProposalStaged) == house.facts(OrderCreated) == []
    assert len(remembered(running(house.desk)["watching/SPY"].state)["bars"]) == 15
    assert secret.read_text() == "keep me"
    assert secret.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BlockingIOError):
        listener.accept()
    House.built.clear()  # what an attacker says of the same bars may be something else each time


TYPE_HINTS = """

@dataclass(slots=True)
class Hinted:
    bars: "__import__('os').system('touch {trace}') or int" = 0


class Mine(Watching):
    name = "mine"
    State = Hinted
"""


def test_type_hints_run_in_the_process_only(tmp_path: Path) -> None:
    """ST-01: the desk reads none of them."""
    trace, path = tmp_path / "trace", tmp_path / "mine.py"
    path.write_text(text_of(Watching) + TYPE_HINTS.replace("{trace}", str(trace)))
    path.chmod(0o600)

    found = look_at(path, waits=WAITS, timeout=ANSWERS)

    assert not trace.exists()
    assert found.kind is None
    assert found.faults[0].startswith("mine.py")


def test_lost_process_restarts_with_its_memory(snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    """ST-07: after two bars it is paused, and stays gone until the operator resumes it."""
    monkeypatch.setattr(process, "A_MOMENT", ANSWERS)
    crash = f"if clock_of(bar) < '09:45': {CRASH.strip()}"
    settings = settings_with("attacking", vwap=False, strategies={"faults": 2})
    house = House(minutes("09:30", "10:05"), settings, kinds=kinds_of(attacking(crash))).opens().until("09:50")
    memory = running(house.desk)["attacking/SPY"]
    known, said = remembered(memory.state)["bars"], memory.last_answer
    row = row_of_the_attacker(house)
    assert (len(house.facts(StrategyFailed)), len(house.facts(StrategyPaused))) == (2, 1)
    assert "raised LostError: its process crashed (SIGSEGV)" in row.trouble
    house.presses(ResumeStrategy("attacking", SPY))
    house.until("10:00")

    assert known[-1] == "09:39"
    assert said == snapshot
    assert remembered(running(house.desk)["attacking/SPY"].state)["bars"] == [
        *known,
        *(f"09:{minute}" for minute in range(50, 60)),
    ]


NOTHING_LEFT = """
os = __import__("os")
raise RuntimeError(f"{len(os.environ)} words of an environment, descriptors {[n for n in range(99) if is_open(n)]}")
"""
IS_OPEN = """

def is_open(number):
    try:
        __import__("os").close(number)
    except OSError:
        return False
    return True
"""


def test_process_has_no_environment_and_no_descriptors(snapshot: SnapshotAssertion) -> None:
    """ST-01: it closes what it has, and tells of it no more."""
    body = NOTHING_LEFT.replace("range(99)", "range(2, 99)")
    bars = minutes("09:30", "10:05")
    with cold():
        kinds = kinds_of(text_of(Watching) + IS_OPEN + attacking(body).removeprefix(text_of(Watching)))
        house = House(bars, settings_with("attacking", vwap=False), kinds=kinds).opens().until("09:41")

    assert house.last(StrategyFailed).reason == snapshot
