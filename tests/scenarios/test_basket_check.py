"""A basket tried on the running engine: verdicts over the socket, and nothing staged (OP-05, SY-08)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import Raw

from console.commands import export
from console.commands.export import check_over
from core import facts
from core.messages.commands import OpenBasket
from core.model.basket import BasketSource, Deployment
from core.model.order import Effect as OrderEffect
from core.model.values import AccountId, Money
from core.ports import OperatorError
from core.protocol.codec import encode
from core.protocol.frames import (
    LARGEST,
    PROTOCOL,
    Check,
    Frame,
    FrameReader,
    Hello,
    Press,
    PressKind,
    Refused,
    Role,
    Say,
    from_engine,
    pack,
)
from core.runtime.service import basket_checks
from core.runtime.virtual import VirtualRuntime
from core.workflows.baskets import NOT_FOLLOWED, RUNS, BasketDrafts
from state.engine_socket import NoEngineError, connected
from state.files import Home
from tests.kit.served import Served, served, shown
from tests.kit.simulated_runtime import runtime
from tests.kit.waiting import TIMEOUT, until
from tests.scenarios.backtests import Keyturn
from tests.scenarios.house import assert_can_be_rebuilt
from tests.scenarios.plans import a_buy, a_floor, a_house_that_holds, a_sale, marks, opens, row, signs

ACCOUNT = AccountId("test")
PASSES = row("SPY", OrderEffect.OPEN, "3", limit="400", stop="390")
A_BASKET = OpenBasket(BasketSource.FILE, "rows.csv", (PASSES, row("QQQ", OrderEffect.CLOSE)), account=ACCOUNT)


@pytest.fixture
def engine() -> VirtualRuntime:
    return runtime()


@pytest.fixture
def there(timeline: object, engine: VirtualRuntime) -> Iterator[Served]:
    with served(engine) as found:
        until(lambda: engine.at >= engine.pace.free_until)
        yield found


def says(connection: socket.socket, *said: Frame, role: Role = Role.CHECK) -> object:
    """What the engine answers to a connection of this kind; None if it hangs up."""
    reader = FrameReader(LARGEST)
    with connection:
        connection.sendall(b"".join(map(pack, (Hello(PROTOCOL, "tests", role), *said))))
        while content := connection.recv(1 << 18):
            for frame in reader.feed(content):
                return from_engine(frame)
    return None


# ── the verdicts ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_check_has_the_verdicts_of_the_basket() -> None:
    """OP-05, RK-18: order by order, sells first, with the power that a sale frees; and it changes nothing"""
    house = a_house_that_holds("AAA", "BBB", quantity="150")
    rows = (a_buy("GGG", "100"), a_buy("HHH", "900"), a_sale("AAA"), a_sale("ZZZ"), a_buy("III", None, limit="100"))
    command = OpenBasket(BasketSource.FILE, "rows.csv", rows, deploy=Deployment(Money(Decimal(5000))))
    drafts, before = house.engine.the(BasketDrafts), house.desk.journal.sequence

    found = drafts.check(command, house.line.at)

    assert house.desk.journal.sequence == before
    assert_can_be_rebuilt(house)
    house.presses(command)
    plan = house.last(facts.BasketOpened).plan
    assert [(order.origin, order.quantity, order.refusals) for order in found.orders] == [
        (line.proposal.reason, line.proposal.order.quantity, line.refusals) for line in plan.lines
    ]
    assert found.skipped == plan.skipped
    assert [bool(order.refusals) for order in found.orders] == [False, False, True, False]
    assert not found.passes


def test_a_check_is_by_the_engines_clock() -> None:
    """OP-05: an hour after the last input the entry window is over and each quote old; the engine's time stays"""
    house = a_floor()
    command = OpenBasket(BasketSource.FILE, "rows.csv", (a_buy("AAA", "10", limit="100"),))
    drafts, at = house.engine.the(BasketDrafts), house.desk.at

    now, later = (drafts.check(command, at + timedelta(hours=hours)) for hours in (0, 7))

    assert (now.passes, later.passes, later.at - now.at) == (True, False, timedelta(hours=7))
    assert drafts.check(command, at - timedelta(hours=1)).at == at
    assert house.desk.at == at


def test_a_symbol_that_is_not_followed_is_named_so() -> None:
    """OP-05: a check asks for nothing, so trying again alone changes nothing"""
    house = a_floor()
    command = OpenBasket(BasketSource.FILE, "rows.csv", (a_buy("AAA", "10", limit="100"), a_buy("XYZ", "1", limit="9")))

    known, unknown = house.engine.the(BasketDrafts).check(command, house.desk.at).orders

    assert known.refusals == ()
    assert unknown.refusals[0] == NOT_FOLLOWED


def test_a_check_beside_a_running_basket_says_so() -> None:
    """OP-05"""
    house = a_house_that_holds("AAA")
    opens(house, a_sale("AAA", limit="105"))
    marks(house)
    signs(house)

    found = house.engine.the(BasketDrafts).check(
        OpenBasket(BasketSource.FILE, "rows.csv", (a_buy("GGG", "1"),)), house.line.at
    )

    assert (found.refusal, found.passes) == (RUNS, False)


# ── over the socket ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_program_is_told_each_verdict(there: Served, engine: VirtualRuntime) -> None:
    """OP-05, SY-08: no basket is opened, no desk attached, nothing recorded of it"""
    recorded: list[object] = []
    engine.engine.state.add_listener(lambda _sequence, _at, fact: recorded.append(type(fact)))

    found = check_over(there.connect(), A_BASKET)

    (order,) = found.orders
    assert (order.symbol, order.quantity, order.words) == ("SPY", 3, "BUY 3 SPY limit 400.00")
    assert [skipped.place for skipped in found.skipped] == ["QQQ row"]
    assert not found.passes
    assert not {facts.BasketOpened, facts.BasketRefused, facts.DeskAttached, facts.CommandRefused} & {*recorded}
    assert (engine.engine.state.plans.run, engine.engine.state.desks.holder) == (None, None)
    assert there.service.desks.count == 0


def test_a_demo_checks_a_basket_too(timeline: object, engine: VirtualRuntime) -> None:
    """OP-05, SY-09"""
    with shown(engine) as path:
        until(lambda: engine.at >= engine.pace.free_until)

        found = check_over(connected(path, TIMEOUT), A_BASKET)

    assert [order.symbol for order in found.orders] == ["SPY"]
    assert engine.engine.state.plans.run is None


@pytest.mark.parametrize("role", [Role.CHECK, Role.LOOK])
def test_a_check_can_stage_nothing(there: Served, engine: VirtualRuntime, role: Role) -> None:
    """OP-01, SY-08: a command, a press, or a basket of another kind over its connection is refused"""
    others = [
        Say(1, Raw(encode(A_BASKET)), 0),
        Press(1, PressKind.KILL),
        Check(Raw(encode(replace(A_BASKET, source=BasketSource.FLATTEN, account=ACCOUNT)))),
        Check(Raw(encode(replace(A_BASKET, account=AccountId("other"))))),
        Check(Raw(encode(A_BASKET)[:-3])),
    ]

    answers = [says(there.connect(), frame, role=role) for frame in others]

    assert all(isinstance(answer, Refused) for answer in answers) is (role is Role.CHECK)
    assert engine.engine.state.plans.run is None
    assert engine.latch.presses == 0
    assert engine.engine.state.plans.state.opened == 0


def test_only_so_many_are_checked_at_once(there: Served) -> None:
    """SY-08: silent ones hold no desk up, and the next one is refused"""
    silent = [there.connect() for _ in range(basket_checks.MOST)]
    for connection in silent:
        connection.sendall(pack(Hello(PROTOCOL, "tests", Role.CHECK)))
    until(lambda: there.service.checks._places._value == 0)  # type: ignore[attr-defined]

    with pytest.raises(OperatorError, match=str(basket_checks.MOST)):
        check_over(there.connect(), A_BASKET)

    for connection in silent:
        connection.close()
    until(lambda: there.service.checks._places._value == basket_checks.MOST)  # type: ignore[attr-defined]
    assert check_over(there.connect(), A_BASKET).orders


def test_a_check_that_fails_ends_alone(there: Served, engine: VirtualRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-14: the engine goes on"""

    def fails(*_: object) -> None:
        raise RuntimeError("of a test")

    with monkeypatch.context() as patched:
        patched.setattr(BasketDrafts, "check", fails)
        with pytest.raises(OperatorError, match="of a test"):
            check_over(there.connect(), A_BASKET)

    assert check_over(there.connect(), A_BASKET).orders
    assert there.thread.is_alive()


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_exit_codes_say_what_would_be(
    there: Served, keyturn: Keyturn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OP-05: 0 all pass, 1 some would not, 3 no engine, 2 wrong usage, 1 an unreadable row; it stages nothing"""
    file = tmp_path / "in.csv"
    file.write_text("symbol,side,quantity,limit_price,stop_price\nSPY,buy,3,400,390\n")
    unheard = keyturn("basket", file, "--check")
    Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).account("test").prepare()
    down = keyturn("basket", file, "--check", "--account", "test")
    monkeypatch.setattr(export, "_connection_of", lambda _folder: there.connect())
    words = ("basket", file, "--check", "--account", "test")

    passes, told = keyturn(*words), keyturn(*words, "--json")
    file.write_text("symbol,side,quantity,limit_price,stop_price\nSPY,buy,3,400,\n")
    refused = keyturn(*words, "--json")
    file.write_text("symbol,side,quantity,limit_price,stop_price\nSPY,bu,3,400,\n")
    unreadable = keyturn(*words)

    codes = [each.code for each in (unheard, down, passes, told, refused, unreadable)]
    assert codes == [3, 3, 0, 0, 1, 1], (passes.out, passes.err)
    assert (told.json["passes"], told.json["orders"][0]["quantity"], refused.json["passes"]) == (True, "3", False)
    assert refused.json["orders"][0]["refusals"]
    assert keyturn("basket", file, "--json").code == 2
    assert there.service.runtime.engine.state.plans.run is None


@pytest.mark.parametrize(
    "words", [("--weight", "risk"), ("--weight", "wild", "--deploy", "5"), ("--deploy", "1000000001")]
)
def test_a_wrong_deployment_is_code_2(keyturn: Keyturn, tmp_path: Path, words: tuple[str, ...]) -> None:
    """RK-18"""
    file = tmp_path / "in.csv"
    file.write_text("symbol,side,stop_price\nSPY,buy,400\n")

    found = keyturn("basket", file, "--check", *words)

    assert (found.code, found.out, len(found.err.splitlines())) == (2, "", 1)


def test_no_engine_is_no_answer(tmp_path: Path) -> None:
    """OP-05"""
    with pytest.raises(NoEngineError):
        export._connection_of(Home.of({"KEYTURN_HOME": str(tmp_path)}).account("test"))
