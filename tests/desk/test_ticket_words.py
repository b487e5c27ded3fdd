"""The text of a ticket, for every effect: each figure in words, within its width, never cut (OP-03)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion

from console.ticket_status import WIDTH, Readiness, TicketPhase, TicketStatus, TypedWord, key_line
from core.model.bar import NoQuote
from core.model.order import CONFIRMING_KEYS, Effect, Leg, LegRole, OrderClass, OrderType, Side, StopHolder, TimeInForce
from core.model.signal import ExitReason
from core.model.sizing import LeftOut, Size, Term
from core.model.staging import MANUAL, ListedExit, NoStop, Review, StopPlan, Verdict
from core.model.staging import CheckResult as Verdicts
from core.model.values import ClientOrderId, Fraction, Money, Price, Quantity, Symbol, plain
from core.views import DeskView, MarginView, TicketView
from core.views.builders.rows import account_after, may_still_fill
from tests.desk.desk_house import open_desk
from widgets import format as f
from widgets.lines import joined
from widgets.ticket_text import exit_lines, ticket_lines, title_of

LARGE = Symbol("BRK.B")
SELLS = (Effect.REDUCE, Effect.CLOSE, Effect.SHORT)


SEEN: list[tuple[TicketView, DeskView]] = []


async def a_ticket() -> tuple[TicketView, DeskView]:
    """The one that VWAP proposes in the demo's market; looked at once, for it never changes."""
    if SEEN:
        return SEEN[0]
    async with open_desk() as house:
        ticket = await house.opens_the_ticket()
        await house.wait(0.1)
        assert ticket._shown is not None
        assert house.desk.view is not None
        SEEN.append((ticket._shown, house.desk.view))
    return SEEN[0]


def of_effect(view: TicketView, effect: Effect) -> TicketView:
    """The same order with another effect, at the largest figures that a ticket may have to hold."""
    order = replace(
        view.ticket.order, symbol=LARGE, effect=effect, side=Side.SELL if effect in SELLS else Side.BUY,
        quantity=Quantity(Decimal("12345.678")), limit_price=Price(Decimal("612345.67")),
    )  # fmt: skip
    figures = replace(view.ticket.figures, cost=Money(Decimal("7559863475.28")), worst_loss=Money(Decimal("18518.52")))
    stop = NoStop("it closes") if effect.only_reduces else StopPlan(Price(Decimal("612344.17")), StopHolder.DESK)
    row = replace(view.proposal, effect=effect, side=order.side, symbol=LARGE, quantity=order.quantity)
    return replace(
        view,
        ticket=replace(view.ticket, order=order, stop=stop, figures=figures),
        proposal=row,
        average_price=Price(Decimal("612345.1234")) if effect.only_reduces else None,
        quantity_after=Quantity(Decimal("-12345.678") if effect is Effect.SHORT else Decimal("12345.678")),
        account_after=None,
        capped_by="risk 12345.67 USD",
    )


def text_of(view: TicketView, desk: DeskView) -> str:
    lines = ticket_lines(view, desk.status.at, WIDTH)
    assert all(cell_len(joined(line)) <= WIDTH for line in lines), [joined(line) for line in lines]
    return "\n".join(joined(line) for line in lines)


async def test_after_fill_is_what_the_account_then_holds() -> None:
    """OP-03: of every strategy, not of the one that proposes"""
    view, desk = await a_ticket()
    order = view.ticket.order
    held = [(order.symbol, "16"), (LARGE, "5"), (order.symbol, "-2")]
    rows = tuple(SimpleNamespace(symbol=symbol, quantity=Decimal(quantity)) for symbol, quantity in held)
    state = SimpleNamespace(ledger=SimpleNamespace(positions=lambda: rows))

    after = account_after(state, order)  # type: ignore[arg-type]

    assert after == 14 + order.quantity
    assert f"after fill: {plain(after)} long" in text_of(replace(view, account_after=after), desk)


async def test_other_entries_of_the_symbol_are_named() -> None:
    """OP-03: what works may fill first; the order that it replaces and its own do not count twice"""
    view, desk = await a_ticket()
    order = view.ticket.order
    sides = ((order.client_order_id, Side.BUY), ("another", Side.BUY), ("a-short", Side.SELL), ("third", Side.BUY))
    rows = [SimpleNamespace(id=name, remaining=Decimal(10), request=SimpleNamespace(side=side)) for name, side in sides]
    state = SimpleNamespace(ledger=SimpleNamespace(working_entries=lambda _: rows))

    more = may_still_fill(state, order)  # type: ignore[arg-type]

    assert more == 10
    for effect in (Effect.OPEN, Effect.CLOSE):
        assert "working entries" in text_of(replace(of_effect(view, effect), entries_working=more), desk)
    assert "working entries" not in text_of(view, desk)


@pytest.mark.parametrize(("stop", "is_looser"), [("612300.00", True), ("1.00", False)])
async def test_a_looser_trail_is_named_on_its_ticket(stop: str, is_looser: bool) -> None:
    """OP-03: beside the stop that it cancels"""
    view, desk = await a_ticket()
    closing = of_effect(view, Effect.CLOSE)
    order = replace(
        closing.ticket.order, type=OrderType.TRAILING_STOP, limit_price=None, trail_fraction=Fraction(Decimal("0.03"))
    )
    trailing = replace(closing, ticket=replace(closing.ticket, order=order), stop_cancelled=Price(Decimal(stop)))

    assert ("LOOSER" in text_of(trailing, desk)) == is_looser


async def test_a_cancel_that_may_wait_for_the_open_is_named() -> None:
    """EX-13, OP-03: with the time of that open, where the market is closed"""
    view, desk = await a_ticket()
    closing = of_effect(view, Effect.CLOSE)
    opens = desk.status.at + timedelta(hours=17)

    assert f.day_and_minute(opens) in text_of(replace(closing, cancels_wait_until=opens), desk)
    assert f.day_and_minute(opens) not in text_of(closing, desk)


async def test_a_margin_entry_says_what_it_takes(snapshot: SnapshotAssertion) -> None:
    """RK-14, OP-03"""
    view, desk = await a_ticket()
    margin = MarginView(
        Money(Decimal(3918)), Fraction(Decimal("0.842")), Fraction(Decimal("0.771")), Money(Decimal("7559863475.28"))
    )

    said = text_of(replace(of_effect(view, Effect.OPEN), margin=margin), desk)
    by_day = text_of(replace(view, margin=replace(margin, overnight=None)), desk)

    words = " ".join(said.split())
    assert words == snapshot
    assert "night" not in by_day
    assert "margin" not in text_of(view, desk)


@pytest.mark.parametrize("effect", Effect)
async def test_every_effect_has_all_its_figures_and_fits(snapshot: SnapshotAssertion, effect: Effect) -> None:
    """OP-03"""
    view, desk = await a_ticket()
    large = of_effect(view, effect)

    text = text_of(large, desk)

    assert text == snapshot
    assert "7,559,863,475.28 USD" in text
    assert f"after fill: 12345.678 {'short' if effect is Effect.SHORT else 'long'}" in text
    assert "quote" in text
    assert "derived" in text
    assert "since the signal" in text
    if effect.only_reduces:
        assert f"{'sold short at' if effect is Effect.COVER else 'paid'} 612,345.1234 a share" in text
        assert "result" in text
        assert "STOP" not in text
    else:
        assert "lose 18,518.52 USD" in text
        assert "buying power after" in text
    assert title_of(large.proposal, "paper").startswith(f"PAPER ─ {f.doing(large.proposal.side, effect)} ─ BRK.B")


def a_size(*left_out: LeftOut) -> Size:
    throttle = Term("throttle", Fraction(Decimal("0.50")), "5.20 of 10.00 USD lost today")
    correlation = Term("correlation", Fraction(Decimal(1)), "0.20 with QQQ")
    vix = Term("VIX", Fraction(Decimal("0.7")), "elevated")
    return Size(
        Quantity(Decimal(1)), "the risk of a trade", (vix, correlation, throttle), left_out, Money(Decimal("1.50"))
    )


async def test_reasons_come_before_terms(snapshot: SnapshotAssertion) -> None:
    """RK-10, OP-03: a ticket that is cut cannot be confirmed, so its size never takes a third line"""
    view, desk = await a_ticket()
    few = LeftOut("ATR", "fewer than 14 bars yet")
    many = [few, LeftOut("half-Kelly", "2 of 30 trades yet"), LeftOut("the risk budget", "equity is not known")]

    def told(*left_out: LeftOut) -> list[str]:
        lines = text_of(replace(view, size=a_size(*left_out)), desk).splitlines()
        begin = next(number for number, line in enumerate(lines) if line.startswith("size   "))
        end = next(number for number, line in enumerate(lines) if line.startswith("why    "))
        return [line.strip() for line in lines[begin:end]]

    assert len(told()) <= 2
    assert " ".join(told(few)) == snapshot
    assert len(told(few)) == 2
    assert " ".join(told(*many)) == snapshot
    assert len(told(*many)) == 2


async def test_a_real_ticket_lists_its_terms(snapshot: SnapshotAssertion) -> None:
    """RK-10, RK-19, OP-03: nobody measured the VIX of this desk"""
    view, desk = await a_ticket()

    told = " ".join(text_of(view, desk).split())

    assert told == snapshot


async def test_a_typed_quantity_has_no_terms() -> None:
    """RK-10: the desk's own computation is not the risk of another quantity"""
    view, desk = await a_ticket()
    own = replace(view, proposal=replace(view.proposal, strategy=MANUAL), size=a_size())
    sized = replace(a_size(), quantity=view.ticket.order.quantity)

    assert "throttle" not in text_of(own, desk)
    assert "throttle" in text_of(replace(own, size=sized), desk)


async def test_an_unsized_order_has_no_terms() -> None:
    """OP-03"""
    view, desk = await a_ticket()

    assert "size   " not in text_of(replace(view, size=None), desk)


async def test_the_unknown_is_never_a_zero(snapshot: SnapshotAssertion) -> None:
    """OP-03"""
    view, desk = await a_ticket()
    figures = replace(view.ticket.figures, buying_power_after=None, cost=None, worst_loss=None)
    bare = replace(
        view,
        quote=NoQuote("the broker gives none"),
        moved=None,
        ticket=replace(view.ticket, figures=figures, stop=NoStop("none was typed")),
    )

    text = text_of(bare, desk)

    assert text == snapshot
    assert "cost – USD" in text


async def test_every_time_in_force_is_named(snapshot: SnapshotAssertion) -> None:
    """OP-03"""
    view, desk = await a_ticket()
    for lasts in (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC):
        order = replace(view.ticket.order, type=OrderType.MARKET, limit_price=None, time_in_force=lasts)
        assert (text_of(replace(view, ticket=replace(view.ticket, order=order)), desk)) == snapshot


async def test_warnings_are_words_and_passes_a_count(snapshot: SnapshotAssertion) -> None:
    """OP-03"""
    view, desk = await a_ticket()
    passes = Verdict("mode", Verdicts.PASSES, "paper")
    warns = Verdict("stop", Verdicts.WARNS, "the stop does not act outside 09:30 to 16:00")
    refuses = Verdict("notional", Verdicts.REFUSES, "49.62 USD is over 25.00 USD an order; take fewer shares")

    one = text_of(replace(view, now=Review((passes, passes, warns))), desk)
    both = text_of(replace(view, now=Review((passes, warns, refuses))), desk)

    assert "2 checks pass · 1 warns: stop: the stop does not act" in one.replace("\n", " ") or "warn " in one
    assert one == snapshot
    assert both == snapshot


async def test_the_most_urgent_exit_is_named(snapshot: SnapshotAssertion) -> None:
    """OP-06"""
    view, desk = await a_ticket()
    staged = desk.status.at - timedelta(seconds=21)
    stopped = replace(
        view.proposal,
        id=view.proposal.id + "x",  # type: ignore[arg-type]
        side=Side.SELL,
        effect=Effect.CLOSE,
        quantity=Quantity(Decimal(100)),
        symbol=Symbol("AIG"),
        exit_reason=ExitReason.STOP_LOSS,
        staged_at=staged,
        moved=Money(Decimal("-2.00")),
    )
    other = replace(stopped, exit_reason=ExitReason.MEAN_REVERSION, moved=None)

    def said(*rows: object) -> str:
        return " ".join(joined(line).strip() for line in exit_lines(rows, desk.status.at, WIDTH))  # type: ignore[arg-type]

    assert said(stopped) == snapshot
    assert said(other, stopped) == snapshot
    assert said() == ""


READY = Readiness(0.0, 0.4, is_turning=False, was_early=False, obstacle=None, is_proved=True)


@pytest.mark.parametrize(
    ("readiness", "word", "said"),
    [
        (READY, None, "armed"),
        (replace(READY, is_proved=False), None, "armed, by time"),
        (replace(READY, left=0.25), None, "armed in 0.3 s"),
        (replace(READY, left=None), None, "armed in 0.4 s"),
        (replace(READY, left=1.55, was_early=True), None, "too early: press B in 1.6 s"),
        (replace(READY, obstacle="terminal too small"), None, "terminal too small"),
        (replace(READY, is_turning=True), None, "confirming…"),
        (READY, TypedWord("SPY"), "LIVE, not armed"),
    ],
)
async def test_the_key_line_says_whether_it_counts(
    snapshot: SnapshotAssertion, readiness: Readiness, word: TypedWord | None, said: str
) -> None:
    """OP-04: `armed` where the terminal proved that it drew the ticket, `armed, by time` where it gives no proof"""
    view, desk = await a_ticket()
    standing = TicketStatus(view.proposal.id)
    standing.update(desk)

    line = joined(key_line(standing, word, readiness, view.ticket.opened_at))

    assert standing.phase is TicketPhase.READY
    assert f" {said}  1:00" in line
    assert cell_len(line) <= WIDTH
    assert line.strip() == snapshot


async def test_the_key_line_names_no_key_that_is_refused() -> None:
    """OP-04, RK-25: no word where nothing can be sent, no edit of a change"""
    view, desk = await a_ticket()
    standing = TicketStatus(view.proposal.id)
    standing.update(desk)
    assert standing.row is not None
    standing.phase = TicketPhase.RED
    shut = joined(key_line(standing, TypedWord("TWIN"), READY, view.ticket.opened_at))
    standing.phase, standing.row = TicketPhase.READY, replace(standing.row, replaces=ClientOrderId("before"))
    change = joined(key_line(standing, None, READY, view.ticket.opened_at))

    assert ("TWIN" in shut, "e edit" in change, "x decline" in change) == (False, False, True)


@pytest.mark.parametrize("effect", Effect)
async def test_the_key_line_names_the_effect(snapshot: SnapshotAssertion, effect: Effect) -> None:
    """OP-04"""
    view, desk = await a_ticket()
    standing = TicketStatus(view.proposal.id)
    standing.update(desk)
    standing.row = replace(of_effect(view, effect).proposal, id=view.proposal.id)
    early = replace(READY, left=1.55, was_early=True)

    line = joined(key_line(standing, None, early, view.ticket.opened_at))

    key = CONFIRMING_KEYS[effect]
    assert line.startswith(f" {key}  {f.doing(standing.row.side, effect).lower()}")
    assert line == snapshot
    assert cell_len(line) <= WIDTH


async def test_each_exit_has_its_price_and_actor() -> None:
    """OP-06, OP-03: within the ticket, whatever it lists."""
    view, _ = await a_ticket()
    exits = (
        ListedExit("target", Price(Decimal("512345.67"))),
        ListedExit("target average", Price(Decimal("612345.67"))),
        ListedExit("1.25 % behind the best price once 2.5 % up", None),
        ListedExit("after 5 days unless 2 % up", None),
        ListedExit("when its signal turns", None),
        ListedExit("flat from the bar of 15:55 New York", None),
    )
    asked = replace(view, exits=exits)
    signed = replace(asked, ticket=replace(view.ticket, unattended=exits))

    for shown, says in ((asked, "each on your key, u signs them"), (signed, "UNATTENDED until the close")):
        lines = [joined(line) for line in ticket_lines(shown, shown.ticket.opened_at, WIDTH)]
        text = " ".join(" ".join(lines).split())
        assert max(cell_len(line) for line in lines) <= WIDTH
        assert says in text
        assert "target average 612,345.67" in text
        assert "VWAP 5" not in text.partition("why")[0]


async def test_only_a_vwap_strategy_has_a_vwap_target(snapshot: SnapshotAssertion) -> None:
    """OP-03: what another's signal was measured against is no price that it would leave at, and promises no gain."""
    view, desk = await a_ticket()
    another = replace(view, proposal=replace(view.proposal, strategy="mean_reversion"))

    of_vwap, of_another = (
        "\n".join(joined(line) for line in ticket_lines(each, desk.status.at, WIDTH)) for each in (view, another)
    )

    assert "target VWAP" in of_vwap
    assert of_another == snapshot
    assert "VWAP 4" not in of_another.partition("why")[0]
    assert "gain" not in of_another


@pytest.mark.parametrize("exits", [(ListedExit("target average", Price(Decimal("512.34"))),), ()], ids=["one", "none"])
async def test_an_authorised_ticket_asks_no_exit_key(exits: tuple[ListedExit, ...]) -> None:
    """OP-06: what `u` signed is said alike wherever the ticket speaks of it."""
    view, desk = await a_ticket()
    turns = (*exits, ListedExit("when its signal turns", None))
    asked = replace(view, exits=turns, proposal=replace(view.proposal, strategy="mean_reversion"))
    signed = replace(asked, ticket=replace(view.ticket, unattended=turns))

    for shown, is_signed in ((asked, False), (signed, True)):
        said = " ".join(text_of(shown, desk).split())
        assert ("needs your key" in said or "on your key" in said) is not is_signed
        assert ("out unattended" in said) is is_signed


async def test_a_ticket_with_legs_warns_of_the_gap(snapshot: SnapshotAssertion) -> None:
    """OP-06, EX-13: the broker holds legs back until all of their entry is filled"""
    view, desk = await a_ticket()
    whole = replace(view.ticket.order, quantity=Quantity(Decimal(2)))
    with_stop = replace(whole, order_class=OrderClass.OTO, legs=(Leg(LegRole.STOP, stop_price=Price(Decimal(490))),))

    said = text_of(replace(view, ticket=replace(view.ticket, order=with_stop)), desk)

    assert said == snapshot
    assert "NO STOP" not in text_of(view, desk)


async def test_worth_and_result_move_together() -> None:
    """OP-03: an exit's worth is what was paid and its result; a trailing one's is at its trail."""
    view, _ = await a_ticket()
    paid, shares = Price(Decimal("99.00")), Quantity(Decimal(10))
    for kind, trail, leaves_at in ((OrderType.MARKET, None, "100.90"), (OrderType.TRAILING_STOP, "0.50", "100.40")):
        order = replace(
            view.ticket.order, effect=Effect.CLOSE, side=Side.SELL, quantity=shares, type=kind, limit_price=None,
            stop_price=None, trail_price=None if trail is None else Price(Decimal(trail)), legs=(),
        )  # fmt: skip
        assert not isinstance(view.quote, NoQuote)
        quote = replace(view.quote, bid=Price(Decimal("100.90")), ask=Price(Decimal("101.00")))
        ticket = replace(view.ticket, order=order, figures=replace(view.ticket.figures, cost=Money(Decimal(1))))
        shown = replace(view, ticket=ticket, quote=quote, average_price=paid)

        text = "\n".join(joined(line) for line in ticket_lines(shown, ticket.opened_at, WIDTH))

        worth = shares * Decimal(leaves_at)
        assert f"worth {f.money(Money(worth))} USD" in text
        assert f"result {f.signed(worth - shares * paid)} USD" in text
