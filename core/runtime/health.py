"""Metrics and health of a running engine over HTTP on this machine.

The engine's thread counts facts and takes a snapshot of itself once a second; requests read the last snapshot and never
the engine. There are no amounts of the account, and no symbols unless the settings allow them.

A client that is slow, sends too much or opens too many connections is disconnected. Requests never touch the engine:
they read its last snapshot.
"""

from __future__ import annotations

import os
import re
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from errno import EADDRINUSE, EEXIST
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from socketserver import BaseServer, TCPServer, ThreadingMixIn
from typing import Any, Protocol

import orjson
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core import facts
from core.facts import Fact
from core.model.account import Mode
from core.model.codes import DeskState
from core.model.lazy_dataclass import dataclass
from core.runtime.call_record import CallMade, CallOutcome
from core.runtime.runtime import Runtime
from core.settings.service import SocketPlace, TcpPlace
from core.views.builders.desk import newest_data, word_of
from core.views.builders.entry_blocks import blocks_at

LOOK_SECONDS = 1.0
"""Between two snapshots of the engine."""
DEAD_SECONDS = 60.0
"""An engine whose last beat is older than this is not alive (SY-02)."""
CALL_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 8.0, 15.0, 30.0)


class LogCounts(Protocol):
    """The counts of the engine's log."""

    @property
    def dropped(self) -> int: ...

    @property
    def waiting(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Glance:
    """A snapshot of the engine; `seen_at` is monotonic time, `data_age` in seconds, None before any data.

    `blocked` has the cause of each thing that blocks entries, and what alone it blocks.
    """

    seen_at: float
    state: DeskState
    account: str
    mode: Mode
    journal_sequence: int
    data_age: float | None
    is_halted: bool
    is_killed: bool
    has_disk: bool
    blocked: tuple[tuple[str, str], ...]
    orders_working: int
    desks_attached: int
    depths: Mapping[str, int]
    syncs: int
    sync_seconds: float
    slowest_sync: float


class EngineFigures:
    """The metrics of one runtime, in a separate registry."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        symbols: bool = False,
        log: LogCounts | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.registry = CollectorRegistry()
        self.failed = 0
        self._runtime, self._steady, self._symbols = runtime, steady, symbols
        self._beaten: float | None = None
        self._glance: Glance | None = None
        self._orders = Counter(
            "keyturn_orders_total", "Orders that came into a state.", ["state"], registry=self.registry
        )
        self._fills = Counter(
            "keyturn_fills_total", "Executions.", ["symbol"] if symbols else [], registry=self.registry
        )
        self._refusals = Counter(
            "keyturn_refusals_total", "What was refused, by whom and why.", ["by", "code"], registry=self.registry
        )
        self._calls = Counter(
            "keyturn_calls_total", "Requests to broker and market.", ["kind", "outcome"], registry=self.registry
        )
        self._call_seconds = Histogram(
            "keyturn_call_seconds", "How long they took.", ["kind"], buckets=CALL_BUCKETS, registry=self.registry
        )
        self._counts: dict[type, Callable[[Any], None]] = {
            facts.OrderCreated: lambda fact: self._orders.labels("pending").inc(),
            facts.OrderStateChanged: lambda fact: self._orders.labels(fact.after.value.lower()).inc(),
            facts.OrderFilled: self._fill,
            facts.SubmissionBlocked: lambda fact: self._refuse("gateway", [fact.code.value]),
            facts.ConfirmationRefused: lambda fact: self._refuse("confirmation", fact.checks),
            facts.ProposalSkipped: lambda fact: self._refuse("proposal", fact.checks),
            facts.CommandRefused: lambda fact: self._refuse("door", ()),
            facts.EditRefused: lambda fact: self._refuse("edit", ()),
            facts.BasketRefused: lambda fact: self._refuse("basket", ()),
        }
        self.registry.register(_Glances(self, log))
        ProcessCollector(registry=self.registry)
        runtime.engine.state.add_listener(self.hear)
        runtime.add_call_listener(self.count_call)
        runtime.each_beat(self.beat)

    # ── counted ──────────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, _sequence: int, _at: datetime, fact: Fact) -> None:
        """Count a fact. In the engine's thread; usually one table lookup."""
        count = self._counts.get(type(fact))
        if count is not None:
            try:
                count(fact)
            except Exception:  # a failure to count must not stop the recording
                self.failed += 1

    def count_call(self, call: CallMade) -> None:
        """Count a finished request. In the thread that carried it."""
        self._calls.labels(call.kind, call.outcome.value).inc()
        self._call_seconds.labels(call.kind).observe(call.seconds)
        if call.outcome is CallOutcome.REFUSED:
            self._refuse("broker", [call.refusal.value if call.refusal else "other"])

    def _fill(self, fact: facts.OrderFilled) -> None:
        if self._symbols:
            order = self._runtime.engine.state.ledger.order(fact.fill.client_order_id)
            self._fills.labels(order.request.symbol if order is not None else "unknown").inc()
        else:
            self._fills.inc()

    def _refuse(self, by: str, codes: Iterable[str]) -> None:
        for code in tuple(codes) or ("other",):
            self._refusals.labels(by, code).inc()

    # ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────

    def beat(self) -> None:
        """Note a beat, and take a snapshot if due. In the engine's thread."""
        now = self._beaten = self._steady()
        if self._glance is None or now - self._glance.seen_at >= LOOK_SECONDS:
            self._glance = self._look(now)

    @property
    def glance(self) -> Glance | None:
        """The last snapshot; None before the first beat. Any thread."""
        return self._glance

    @property
    def heartbeat_age(self) -> float | None:
        """Seconds since the engine's last beat; None before the first. Any thread."""
        return None if self._beaten is None else max(0.0, self._steady() - self._beaten)

    def data_age(self) -> float | None:
        """Seconds since the last market data. Any thread."""
        glance = self._glance
        if glance is None or glance.data_age is None:
            return None
        return glance.data_age + max(0.0, self._steady() - glance.seen_at)

    def health(self) -> tuple[bool, dict[str, object]]:
        """Return whether the engine is alive and can record, and the fields to report, without amounts. Any thread."""
        glance, age, data_age = self._glance, self.heartbeat_age, self.data_age()
        if glance is None or age is None:
            return False, {"ok": False, "state": DeskState.STARTING.value}
        is_well = age <= DEAD_SECONDS and glance.has_disk
        return is_well, {
            "ok": is_well,
            "state": glance.state.value,
            "account": glance.account,
            "mode": glance.mode.value,
            "heartbeat_age": round(age, 3),
            "journal_sequence": glance.journal_sequence,
            "data_age": None if data_age is None else round(data_age, 3),
            "halted": glance.is_halted,
            "killed": glance.is_killed,
            "disk": "ok" if glance.has_disk else "failed",
            "entries_enabled": not any(only == "" for _, only in glance.blocked),
            "blocked": [{"by": by, "only": only} for by, only in glance.blocked],
        }

    def _look(self, now: float) -> Glance:
        engine, state = self._runtime.engine, self._runtime.engine.state
        heard_at, _ = newest_data(state)
        journal: Any = state.journal
        return Glance(
            seen_at=now,
            state=word_of(engine),
            account=state.account_name,
            mode=state.mode,
            journal_sequence=state.journal.sequence,
            data_age=None if heard_at is None else max(0.0, (self._runtime.clock() - heard_at).total_seconds()),
            is_halted=bool(state.control.halts),
            is_killed=state.control.killed_by is not None,
            has_disk=engine.disk_trouble is None,
            blocked=tuple((block.cause.value, block.scope) for block in blocks_at(state, self._runtime.clock())),
            orders_working=sum(1 for _ in state.ledger.working()),
            desks_attached=len(state.desks.state.attached),
            depths=self._runtime.depths(),
            syncs=getattr(journal, "syncs", 0),
            sync_seconds=getattr(journal, "seconds_in_syncs", 0.0),
            slowest_sync=getattr(journal, "slowest_sync_seconds", 0.0),
        )


class _Glances(Collector):
    """Collect the last snapshot as metrics."""

    def __init__(self, figures: EngineFigures, log: LogCounts | None) -> None:
        self._figures, self._log = figures, log

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        glance, age, data_age = self._figures.glance, self._figures.heartbeat_age, self._figures.data_age()
        if glance is None or age is None:
            return
        well, _ = self._figures.health()
        yield _gauge("keyturn_up", "1 while the engine beats and its journal can be written.", int(well))
        yield _gauge("keyturn_heartbeat_age_seconds", "Since the engine's last beat.", age)
        if data_age is not None:
            yield _gauge("keyturn_data_age_seconds", "Since the market was heard last.", data_age)
        states = GaugeMetricFamily("keyturn_state", "1 for the word that the desk stands at.", labels=["state"])
        for word in DeskState:
            states.add_metric([word.value], int(word is glance.state))
        yield states
        yield _gauge("keyturn_orders_working", "Orders that work.", glance.orders_working)
        yield _gauge("keyturn_desks_attached", "Desks that are attached.", glance.desks_attached)
        depths = GaugeMetricFamily("keyturn_queue_depth", "What waits, by its queue.", labels=["queue"])
        for queue, depth in glance.depths.items():
            depths.add_metric([queue.replace("-", "_")], depth)
        yield depths
        yield _counter("keyturn_journal_records", "Records of the journal.", glance.journal_sequence)
        yield _counter("keyturn_journal_syncs", "How often the disk was waited for.", glance.syncs)
        yield _counter("keyturn_journal_sync_seconds", "How long in all.", glance.sync_seconds)
        yield _gauge("keyturn_journal_slowest_sync_seconds", "The longest.", glance.slowest_sync)
        if self._log is not None:
            yield _counter("keyturn_log_lines_dropped", "Lines that the log left out.", self._log.dropped)
            yield _gauge("keyturn_log_lines_waiting", "Lines that are not written yet.", self._log.waiting)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _counter(name: str, words: str, value: float) -> Metric:
    return CounterMetricFamily(name, words, value=value)


AT_ONCE = 4
"""The maximum of connections; one more is closed."""
SECONDS = 2.0
"""The time-out for receiving a request, and for sending its answer."""
LARGEST = 8_192
"""The maximum size of a request in bytes."""
LOCAL = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?", re.ASCII)
"""Names of this machine's own address."""
PRIVATE = 0o600
PACE = 0.02
"""Seconds before each connection, so that a flood is limited to fifty connections a second."""
REST = 0.2
"""Seconds of pause after a failed accept: a process without free descriptors must not spin."""


@dataclass(frozen=True, slots=True)
class Page:
    """A response."""

    status: HTTPStatus
    kind: str
    content: bytes


Pages = Mapping[str, Callable[[], Page]]
"""Pages by path."""


END_CHECK_SECONDS = 0.5
"""Seconds between two checks whether the server must end."""


class HealthServer:
    """Serve pages in separate threads until closed."""

    def __init__(self, place: TcpPlace | SocketPlace, pages: Pages) -> None:
        self._place = place
        self._server = _bound(place, pages)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(END_CHECK_SECONDS,), name="health", daemon=True
        )

    def start(self) -> None:
        """Start the thread. Raises RuntimeError if the machine cannot start one."""
        self._thread.start()

    @property
    def address(self) -> Any:
        """The address it listens on: host and port, or a path."""
        return self._server.server_address

    def close(self) -> None:
        """Stop listening; requests in progress are completed."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()
        if isinstance(self._place, SocketPlace):
            with suppress(OSError):
                os.unlink(self._place.path)


def _bound(place: TcpPlace | SocketPlace, pages: Pages) -> _Server:
    """Bind the server. Raises OSError if another program uses the address; an abandoned socket file is replaced."""
    if isinstance(place, TcpPlace):
        return _Server(socket.AF_INET6 if ":" in place.host else socket.AF_INET, (place.host, place.port), pages)
    _clear(place.path)
    return _Server(socket.AF_UNIX, place.path, pages)


def _clear(path: str) -> None:
    """Remove the socket file of a dead engine. Raises OSError for anything else at that path."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(EEXIST, "something that is no socket stands there; move it away", path)
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(SECONDS)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
    raise OSError(EADDRINUSE, "another program listens there", path)


class _Server(ThreadingMixIn, TCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 32

    def __init__(self, family: socket.AddressFamily, address: Any, pages: Pages) -> None:
        self.address_family = family
        self.pages = pages
        self._free = threading.BoundedSemaphore(AT_ONCE)
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Restrict a socket file to its owner before the server listens."""
        super().server_bind()
        if self.address_family == socket.AF_UNIX:
            os.chmod(self.server_address, PRIVATE)  # type: ignore[arg-type]

    def get_request(self) -> tuple[Any, Any]:
        try:
            return super().get_request()
        except OSError:
            time.sleep(REST)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        time.sleep(PACE)
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread
            self._free.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore the client's connection errors."""


class _Handler(BaseHTTPRequestHandler):
    """One request per connection."""

    server_version, sys_version = "keyturn", ""
    timeout = SECONDS
    error_message_format = "%(code)d %(message)s\n"
    error_content_type = "text/plain; charset=utf-8"

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = BytesIO(_head_of(self.connection))
        self.connection.settimeout(SECONDS)

    def do_GET(self) -> None:
        server: BaseServer = self.server
        assert isinstance(server, _Server)
        page = server.pages.get(self.path.partition("?")[0])
        # Whether the Host header names this machine: a browser redirected by another site names that site.
        if server.address_family != socket.AF_UNIX and LOCAL.fullmatch(self.headers.get("Host", "localhost")) is None:
            self.send_error(HTTPStatus.FORBIDDEN, "ask by the name of this machine's own address")
        elif page is None:
            self.send_error(HTTPStatus.NOT_FOUND, "there are /healthz and /metrics")
        else:
            self._answer(page())

    def _answer(self, page: Page) -> None:
        self.send_response(page.status)
        self.send_header("Content-Type", page.kind)
        self.send_header("Content-Length", str(len(page.content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(page.content)

    def log_message(self, format: str, *args: Any) -> None:
        """Do not log."""


def _head_of(connection: socket.socket) -> bytes:
    """Return the header lines of a request if they arrive complete and in time; otherwise nothing."""
    ends, head = time.monotonic() + SECONDS, b""
    while b"\r\n\r\n" not in head and b"\n\n" not in head:
        left = ends - time.monotonic()
        if left <= 0 or len(head) > LARGEST:
            return b""
        connection.settimeout(left)
        try:
            more = connection.recv(LARGEST)
        except OSError:
            return b""
        if not more:
            return b""
        head += more
    return head


def pages_of(figures: EngineFigures) -> Pages:
    def healthz() -> Page:
        is_well, told = figures.health()
        status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
        return Page(status, "application/json", orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))

    def metrics() -> Page:
        return Page(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(figures.registry))

    return {"/healthz": healthz, "/metrics": metrics}
