"""A third broker and a second source of data are a folder and a line each, and the desk trades on them (SP-07)."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from console.commands.assembly.at_a_broker import live_runtime
from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from console.commands.doctor import compared, findings
from core.brokers.port import BrokerAccount, BrokerKind, Connected, SimulatedKind
from core.brokers.registry import BROKERS
from core.brokers.simulated.config import ExchangeConfig
from core.brokers.simulated.exchange import SimulatedExchange
from core.io.wall_clock import utc_now
from core.market.port import MarketDataError, SourceKind
from core.market.registry import SOURCES
from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import ProposeOrder
from core.model.account import Account, Channel, ConnectionState, ConnectionStatus, Mode
from core.model.api_contract import KeyNames
from core.model.bar import Bar
from core.model.broker import Capabilities, NoAnswer
from core.model.order import Effect, OrderType, StopHolder
from core.model.reference_data import CorporateAction, ListedAsset
from core.model.session import Session
from core.model.sizing import DailyBar
from core.model.values import Price, Quantity, Symbol
from core.ports import OperatorError
from state.credentials import find_keys
from tests.scenarios.live_floor import LiveFloor, Market
from tests.unit.core.brokers.trading_floor import STORIES, Notebook
from tests.wire.exchange.hours import Hours
from tests.wire.open_desk import Open, confirm_the_first

pytestmark = pytest.mark.usefixtures("timeline")

ROOT = Path(__file__).resolve().parents[2]
SPY = Symbol("SPY")
HALF_AN_HOUR = 30
NAMES = KeyNames("the toy house", "TOY_KEY_ID", "TOY_SECRET", "keyturn-toy")
KNOWS_AN_ADAPTER = re.compile(r"^\s*(from|import) core\.(brokers|market)\.alpaca\b", re.MULTILINE)
LISTS = ("core/brokers/registry.py", "core/market/registry.py")


class Toy(LiveFloor):
    """The simulated exchange in real time, and what a start asks of a broker."""

    def __init__(self, hours: Hours) -> None:
        super().__init__("10:00", a_flat_market(utc_now()))
        self.offset = timedelta()
        self.hours = hours
        rules = ExchangeConfig(**{**STORIES, "cash": Decimal(30_000), "account": "box"})  # type: ignore[arg-type]
        self.exchange = SimulatedExchange(rules, hours, Notebook())
        self.market = Tape(self)
        self.is_closed = False

    def standing(self) -> BrokerAccount | NoAnswer:
        account = self.account()
        return BrokerAccount(account, "") if isinstance(account, Account) else account

    def sessions(self, first: date, last: date) -> tuple[Session, ...] | NoAnswer:
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        found = (self.hours.session_on(day) for day in days)
        return tuple(session for session in found if isinstance(session, Session))

    def assets(self) -> tuple[ListedAsset, ...]:
        return (ListedAsset(Symbol("SPY"), "SPDR S&P 500 ETF Trust", "ARCA", is_shortable=True, is_fractionable=False),)

    def show_on(self, show: Callable[[ConnectionStatus], None]) -> None:
        show(ConnectionStatus(Channel.BROKER, ConnectionState.UP, self.now(), self.now()))

    def close(self) -> None:
        self.is_closed = True


class Tape(Market):
    """Its bars; it knows nothing of the days before."""

    def daily_bars(self, symbol: Symbol) -> Sequence[DailyBar]:
        raise MarketDataError(f"the tape has no days of {symbol}")

    recent_days = daily_bars

    def chart_days(self, symbol: Symbol) -> Sequence[Bar]:
        raise MarketDataError(f"the tape has no days of {symbol}")

    def corporate_actions(self, _symbols: Sequence[Symbol], _today: date) -> Sequence[CorporateAction]:
        return ()


def a_flat_market(now: datetime) -> list[Bar]:
    price, first = Price(Decimal("100.00")), now.replace(second=0, microsecond=0) - timedelta(minutes=HALF_AN_HOUR)
    starts = [first + timedelta(minutes=number) for number in range(2 * HALF_AN_HOUR)]
    return [Bar(SPY, start, price, price, price, price, Quantity(Decimal(1_000_000))) for start in starts]


@pytest.fixture
def toy() -> Toy:
    return Toy(Hours())


@pytest.fixture
def kind(toy: Toy) -> BrokerKind:
    return BrokerKind(
        name="toy",
        title="The toy house",
        capabilities=Capabilities(order_types=frozenset(OrderType) - {OrderType.STOP_LIMIT}, replaces=False),
        keys=NAMES,
        connect=lambda _settings, _mode, _keys: Connected(toy, toy.updates),
        source="tape",
        reached_by="a shelf",
        contract=lambda: (),
        prefix="toy-",
    )


@pytest.fixture
def keyturn(toy: Toy, kind: BrokerKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setitem(BROKERS, kind.name, kind)  # the line of a broker
    monkeypatch.setitem(SOURCES, "tape", SourceKind("tape", NAMES, lambda *_: toy.market, "a shelf", lambda: ()))
    return Host.of(
        {
            "KEYTURN_HOME": str(tmp_path),
            "KEYTURN_PROFILE": "swing",
            "KEYTURN_ACCOUNT__BROKER": "toy",
            "KEYTURN_RISK__WINDOW_START": "00:00",
            "KEYTURN_RISK__WINDOW_END": "23:59",
            "KEYTURN_RISK__MIN_NOTIONAL": "1",
            "KEYTURN_REGIME__VIX_URL": "",
            "TOY_KEY_ID": "toy",
            "TOY_SECRET": "wood",  # pragma: allowlist secret
        }
    )


@contextmanager
def opened(keyturn: Host) -> Iterator[Open]:
    settings = settings_of(keyturn)
    with ExitStack() as stack:
        keys = find_keys(keyturn.environ, Mode.PAPER, NAMES)
        desk = Open(live_runtime(keyturn, settings, Mode.PAPER, keys, stack))
        thread = threading.Thread(target=desk.runtime.run, daemon=True)
        thread.start()
        yield desk
        desk.runtime.leave()
        thread.join(8)
        assert not thread.is_alive()
        desk.runtime.stop("left")


def test_a_desk_trades_at_a_registered_broker(keyturn: Host, toy: Toy, tmp_path: Path) -> None:
    """SP-07, MD-01, EX-20: start, compare, propose, confirm, fill, leave, compare again; its folder is its own."""
    with opened(keyturn) as desk:
        desk.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree, and a price")
        desk.sends(a_buy_with_its_stop())
        confirm_the_first(desk)
        desk.waits(lambda view: view.positions and view.positions[0].covered == 2, "a covered position")

    assert toy.is_closed
    assert [path.name for path in (tmp_path / "state").iterdir() if path.is_dir()] == ["toy-box"]
    told = compared(keyturn, None)
    assert (told["ok"], told["positions"]) == (True, 1)


def a_buy_with_its_stop() -> ProposeOrder:
    stop, quantity = Price(Decimal("99.00")), Quantity(Decimal(2))
    return ProposeOrder(SPY, Effect.OPEN, quantity, OrderType.MARKET, None, stop, StopHolder.BROKER)


def test_what_a_broker_cannot_do_is_not_sent(keyturn: Host, toy: Toy) -> None:
    """EX-12, RK-01"""
    with opened(keyturn) as desk:
        desk.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree, and a price")
        trigger, limit, stop = (Price(Decimal(text)) for text in ("101.00", "101.10", "99.00"))
        order = ProposeOrder(
            SPY, Effect.OPEN, Quantity(Decimal(2)), OrderType.STOP_LIMIT, limit, stop, StopHolder.BROKER,
            trigger_price=trigger,
        )  # fmt: skip
        desk.sends(order)
        view = desk.waits(lambda view: view.refusals or view.proposals, "its refusal")

    assert "this broker takes no stop-limit orders" in str(view.refusals)
    assert not any(asked.startswith("submit") for asked in toy.asked)


def test_a_real_broker_takes_no_scripted_keys(keyturn: Host) -> None:
    """OP-01: the simulated exchange of the house alone takes them, whatever a broker is built on."""
    settings = settings_of(keyturn)
    with ExitStack() as stack:
        runtime = live_runtime(keyturn, settings, Mode.PAPER, find_keys(keyturn.environ, Mode.PAPER, NAMES), stack)
        with pytest.raises(ValueError, match="simulated exchange alone"):
            runtime.admit(CommandPort(PortKind.SCRIPT).known)
    assert [name for name, kind in BROKERS.items() if isinstance(kind, SimulatedKind)] == ["simulated"]


def test_an_unknown_broker_is_named(keyturn: Host) -> None:
    """OP-10"""
    environ = {**keyturn.environ, "KEYTURN_ACCOUNT__BROKER": "ibkr"}
    with pytest.raises(OperatorError, match="must be 'alpaca', 'simulated' or 'toy'"):
        settings_of(Host.of(environ))
    with pytest.raises(OperatorError, match="must be 'alpaca' or 'tape'"):
        settings_of(Host.of({**keyturn.environ, "KEYTURN_ACCOUNT__DATA": "ticker"}))


def test_the_settings_choose_a_data_source(keyturn: Host) -> None:
    """MD-01: it asks for keys of its own, by its own names."""
    environ = {**keyturn.environ, "KEYTURN_ACCOUNT__DATA": "alpaca"}
    settings = settings_of(Host.of(environ))
    with ExitStack() as stack, pytest.raises(OperatorError, match="no keys for Alpaca's paper trading"):
        live_runtime(Host.of(environ), settings, Mode.PAPER, find_keys(environ, Mode.PAPER, NAMES), stack)


def test_the_doctor_looks_at_that_broker(keyturn: Host, toy: Toy) -> None:
    """OP-10"""
    toy.troubles["account"] = NoAnswer("the shelf is empty")
    toy.unquoted = "no tape"
    told = {finding.name: finding for finding in findings(keyturn)}

    assert told["broker"].remedy.startswith("check the keys, the network, and a shelf")
    assert told["market data"].remedy == "check a shelf"


def test_only_the_registries_know_alpaca() -> None:
    """SP-07"""
    rooms = ("console", "core", "state", "widgets")
    files = [ROOT / "app.py", *(file for room in rooms for file in (ROOT / room).rglob("*.py"))]
    sources = {str(file.relative_to(ROOT)): file.read_text() for file in files}
    knowing = {name for name, source in sources.items() if KNOWS_AN_ADAPTER.search(source)}

    assert {name for name in knowing if "/alpaca/" not in name} == set(LISTS)


def test_the_registries_import_no_client_library() -> None:
    """SY-08: the desk paints first and connects after."""
    code = (
        "import sys, core.brokers.registry, core.market.registry;"
        "print([name for name in ('alpaca', 'requests', 'websockets', 'pandas', 'msgpack') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"
