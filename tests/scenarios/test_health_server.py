"""Health and figures of a demo over HTTP: what is said, what never is, and clients that are slow, many or rude."""

from __future__ import annotations

import json
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.engine_process import service_health, service_log
from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.facts import DeskAttached, OrderFilled, OrderStateChanged
from core.model.desk import DeskNumber, Seat
from core.ports import OperatorError
from core.runtime import health as figures_module
from core.runtime import health as server_module
from core.runtime.health import AT_ONCE, DEAD_SECONDS, EngineFigures, HealthServer, Page
from core.runtime.virtual import VirtualRuntime
from core.settings.service import HealthSettings, TcpPlace
from state.journal import read

Answer = tuple[int, bytes]
TIMEOUT = 120
"""Seconds after which a test that waits for an answer has failed."""


@pytest.fixture(autouse=True)
def looks_at_every_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures_module, "LOOK_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "END_CHECK_SECONDS", 0.01)


@pytest.fixture(autouse=True)
def waits_for_slow_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    wait_for_requests(monkeypatch, TIMEOUT)


def wait_for_requests(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """The server's time-out for a request; the handler took its own from it when the module was loaded."""
    monkeypatch.setattr(server_module, "SECONDS", seconds)
    monkeypatch.setattr(server_module._Handler, "timeout", seconds)


ON_A_SOCKET = 'health.listen="unix:health.sock"'


class SocketConnection(HTTPConnection):
    """HTTP on the socket file of a demo in this home."""

    def __init__(self, home: Path) -> None:
        super().__init__("localhost")
        self._path = home / "state" / "demo" / "health.sock"

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


@contextmanager
def demo(home: Path, *overrides: str) -> Iterator[tuple[VirtualRuntime, EngineFigures | None]]:
    host = Host.of({"KEYTURN_HOME": str(home)})
    with ExitStack() as stack:
        runtime = demo_runtime(host, DemoOptions(operator="confirm-all", overrides=overrides), stack)
        runtime.pace.speed = None
        log = service_log(host, runtime, stack)
        yield runtime, service_health(host, runtime, stack, log)


def ask(place: int | Path, path: str, method: str = "GET", **headers: str) -> Answer:
    """Ask the server at a port, or the demo of a home on its socket file."""
    on_socket = isinstance(place, Path)
    connection = SocketConnection(place) if on_socket else HTTPConnection("127.0.0.1", place, timeout=TIMEOUT)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def figures_of(text: bytes) -> dict[tuple[str, tuple[str, ...]], float]:
    """By name and labels, as prometheus-client itself reads them."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_nothing_listens_by_default(tmp_path: Path) -> None:
    """SY-05"""
    with demo(tmp_path) as (_, figures):
        assert figures is None


def test_health_names_no_amounts(tmp_path: Path) -> None:
    """SY-05"""
    with demo(tmp_path, ON_A_SOCKET) as (runtime, _):
        assert ask(tmp_path, "/healthz")[0] == HTTPStatus.SERVICE_UNAVAILABLE, "no beat yet"
        runtime.run(until=runtime.at + timedelta(minutes=2))
        runtime.beat()
        status, content = ask(tmp_path, "/healthz")
        told = json.loads(content)

        assert status == HTTPStatus.OK
        assert (told["ok"], told["account"], told["mode"], told["state"]) == (True, "demo", "paper", "on")
        assert told["journal_sequence"] == runtime.engine.state.journal.sequence
        assert told["heartbeat_age"] < DEAD_SECONDS
        assert told["data_age"] is not None
        assert set(told) == {
            *("ok", "state", "account", "mode", "heartbeat_age", "journal_sequence", "data_age"),
            *("halted", "killed", "disk", "entries_enabled", "blocked"),
        }


def test_metrics_match_the_journal(tmp_path: Path) -> None:
    """SY-05: read by prometheus-client's parser; no symbol and no figure of the account is among them."""
    with demo(tmp_path, ON_A_SOCKET) as (runtime, figures):
        assert figures is not None
        runtime.run(until=runtime.at + timedelta(minutes=20))
        for number in (91, 92):
            runtime.engine.state.record(DeskAttached(DeskNumber(number), Seat("/dev/pts/9", "eve")))
        runtime.beat()
        status, content = ask(tmp_path, "/metrics")
        found = figures_of(content)
        runtime.engine.state.journal.sync()
        facts = [r.fact for r in read(tmp_path / "state" / "demo" / "journal")]
        symbols = runtime.engine.state.control.settings.symbols

        filled = [fact for fact in facts if isinstance(fact, OrderFilled)]
        states = [fact.after.value.lower() for fact in facts if isinstance(fact, OrderStateChanged)]
        assert status == HTTPStatus.OK
        assert found["keyturn_fills_total", ()] == len(filled) > 0
        assert found["keyturn_orders_total", ("filled",)] == states.count("filled") > 0
        assert found["keyturn_calls_total", ("figures", "answered")] > 0
        assert found["keyturn_call_seconds_count", ("books",)] > 0
        assert found["keyturn_journal_syncs_total", ()] > 0
        assert found["keyturn_queue_depth", ("entries",)] == 0
        assert found["keyturn_up", ()] == 1
        assert found["keyturn_state", ("on",)] == 1
        assert found["keyturn_desks_attached", ()] == len(runtime.engine.state.desks.state.attached) >= 2
        assert found["keyturn_log_lines_dropped_total", ()] == 0
        assert found["process_resident_memory_bytes", ()] > 1_000_000
        assert not [symbol for symbol in symbols if symbol in content.decode()]
        assert not [word for word in ("equity", "profit", "buying", "cash") if word in content.decode()]


def test_symbols_are_shown_when_allowed(tmp_path: Path) -> None:
    """SY-05"""
    with demo(tmp_path, ON_A_SOCKET, "health.symbols=true") as (runtime, _):
        runtime.run(until=runtime.at + timedelta(minutes=20))
        found = figures_of(ask(tmp_path, "/metrics")[1])

        by_symbol = {labels[0] for name, labels in found if name == "keyturn_fills_total"}
        assert by_symbol
        assert by_symbol <= set(runtime.engine.state.control.settings.symbols)


def test_a_dead_engine_or_a_lost_disk_is_unhealthy(tmp_path: Path) -> None:
    """SY-05, SY-02, SP-06"""
    now = [1000.0]
    with demo(tmp_path) as (runtime, _):
        figures = EngineFigures(runtime, steady=lambda: now[0])
        runtime.beat()
        assert figures.health()[0]

        now[0] += DEAD_SECONDS + 1
        assert not figures.health()[0]
        runtime.beat()
        assert figures.health()[0]

        runtime.lose_disk("the journal could not write: No space left on device")
        now[0] += 2
        runtime.beat()
        is_well, told = figures.health()
        assert not is_well
        assert told["disk"] == "failed"


ELSEWHERE = [
    "0.0.0.0:9464",
    "192.168.1.2:9464",
    "[::]:9464",
    "example.com:80",
    ":9464",
    "9464",
    "127.0.0.1",
    "127.0.0.1:0",
    "127.0.0.1:99999",
    "127.0.0.1.evil.com:1",
    "127.0.0.999:1",
    "unix:",
    "unix:..",
    "unix:a/b",
    "http://127.0.0.1:1",
]


@pytest.mark.parametrize("listen", ELSEWHERE)
def test_only_this_machine_may_listen(listen: str) -> None:
    """SY-05"""
    with pytest.raises(ValueError, match="must be"):
        HealthSettings(listen=listen)


def test_a_remote_address_is_refused_by_key(tmp_path: Path) -> None:
    """SY-05"""
    with pytest.raises(OperatorError, match=r"health\.listen"), demo(tmp_path, 'health.listen="0.0.0.0:9464"'):
        pass


def test_a_stale_socket_is_taken_over_privately(tmp_path: Path) -> None:
    """SY-05"""
    path = tmp_path / "state" / "demo" / "health.sock"
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with demo(tmp_path, ON_A_SOCKET) as (runtime, figures):
        assert figures is not None
        runtime.beat()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert b"200 OK" in client.recv(1000)
    assert not path.exists()


def test_a_taken_address_is_reported(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """SY-05"""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with demo(tmp_path, f'health.listen="127.0.0.1:{port}"') as (runtime, _):
            told = [note.replace(str(port), "PORT") for note in runtime.engine.notes if note.startswith("health is")]
    (tmp_path / "state" / "demo" / "health.sock").write_text("not ours")
    with demo(tmp_path, ON_A_SOCKET) as (runtime, _):
        told += [note for note in runtime.engine.notes if note.startswith("health is")]
    assert told == snapshot


@contextmanager
def a_server() -> Iterator[int]:
    server = HealthServer(TcpPlace("127.0.0.1", 0), {"/healthz": lambda: Page(HTTPStatus.OK, "text/plain", b"well\n")})
    server.start()
    try:
        yield server.address[1]
    finally:
        server.close()


def test_only_local_gets_of_known_pages_are_answered() -> None:
    """SY-05: what writes is refused, and so is a browser that another site led here."""
    with a_server() as port:
        assert ask(port, "/healthz") == (200, b"well\n")
        assert ask(port, "/healthz?x=1", Host=f"localhost:{port}") == (200, b"well\n")
        assert ask(port, "/")[0] == HTTPStatus.NOT_FOUND
        assert ask(port, "/../healthz")[0] == HTTPStatus.NOT_FOUND
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
            assert ask(port, "/healthz", method)[0] == HTTPStatus.NOT_IMPLEMENTED
        for host in ("evil.example", "127.evil.example", "127.0.0.1.evil.example", "[::1].evil.example"):
            assert ask(port, "/healthz", Host=host)[0] == HTTPStatus.FORBIDDEN


def _sent(port: int, content: bytes) -> bytes:
    """All that comes back of it, until the connection ends."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as client, suppress(ConnectionError):
        client.sendall(content)
        while more := client.recv(4096):
            answer += more
    return answer


def test_malformed_requests_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-05"""
    with a_server() as port:
        assert _sent(port, b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 100_000) == b""
        assert b"200" not in _sent(port, b"\x16\x03\x01 rubbish\r\n\r\n")
        wait_for_requests(monkeypatch, 0.1)
        assert _sent(port, b"GET /healthz HTTP/1.1\r\nHalf: of it") == b"", "cut off when its time is over"
        wait_for_requests(monkeypatch, TIMEOUT)
        assert ask(port, "/healthz")[0] == HTTPStatus.OK


def test_slow_clients_hold_few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-05: a byte buys no more time; each of them is closed by the server."""
    serve, lock, served = ThreadingMixIn.process_request_thread, threading.Lock(), [0, 0]

    def counted(server: Any, request: Any, client_address: Any) -> None:
        with lock:
            served[0] += 1
            served[1] = max(served)
        serve(server, request, client_address)
        with lock:
            served[0] -= 1

    monkeypatch.setattr(ThreadingMixIn, "process_request_thread", counted)
    wait_for_requests(monkeypatch, 0.1)
    with a_server() as port:
        slow = [socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) for _ in range(30)]
        for client in slow:
            with suppress(ConnectionError):
                client.send(b"G")
                while client.recv(4096):
                    pass
            client.close()
        wait_for_requests(monkeypatch, TIMEOUT)
        answers = set()
        while HTTPStatus.OK not in answers:  # the last of them may be on its way out
            with suppress(OSError):
                answers.add(ask(port, "/healthz")[0])

    assert 0 < served[1] <= AT_ONCE
