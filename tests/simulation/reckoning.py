"""What must be zero when everything has settled, counted from the exchange's books and the journal alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.brokers.simulated.log import CancelRequest, decoded
from core.brokers.simulated.order_book import HELD
from core.execution.order import Order
from core.facts import OrderCreated
from core.model.broker import OrderReport
from core.model.order import Elsewhere, LegRole, OrderStatus, Side
from core.model.values import ZERO
from core.views.builders.desk import ViewBuilder

if TYPE_CHECKING:
    from simulation.auditor import Seen
    from simulation.world import World

LEG = "leg-"
"""What the exchange's own name of a leg begins with."""
A_DOUBT = timedelta(seconds=75)
"""What a request may be on its way: 8 s for its answer, five look-ups over a minute, and one round trip."""
A_MOMENT = timedelta(seconds=1)
A_MISS = timedelta(seconds=11)
"""What a request for less is waited for after its first miss: ten seconds, and one round trip."""


@dataclass
class Reckoning:
    """How often each happened that never may, and in words.

    Attributes
    ----------
    bare
        Shares that are shown as covered and are not.
    loose
        Exits beyond the position.
    owed
        Shares that were owed a stop for over 5 s while the broker answered, and nobody was told urgently.
    unsold
        Closes that ended without a sale, and without a word of what to do.
    unrequested
        Orders that no key and no authorization requested.
    unrecorded
        Cancels that left without a record on the disk.
    unnoticed
        Positions that differed for over a minute after the books had shown it, and nobody was told.
    deficits
        Of margin that nobody was told of.
    held_over
        Positions that are flat by the close, without an exit before a close that was announced.
    """

    lost: int = 0
    doubled: int = 0
    differing: int = 0
    bare: int = 0
    loose: int = 0
    refused_wrongly: int = 0
    owed: int = 0
    unsold: int = 0
    unrequested: int = 0
    unrecorded: int = 0
    unnoticed: int = 0
    deficits: int = 0
    held_over: int = 0
    words: list[str] = field(default_factory=list)

    def add(self, other: Reckoning) -> None:
        for name, value in other.all.items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def all(self) -> dict[str, int]:
        """By name."""
        return {name: value for name, value in asdict(self).items() if name != "words"}


def reckon(world: World) -> Reckoning:
    found = Reckoning()
    _count_orders(world, found)
    _compare_positions(world, found)
    _compare_cover(world, found)
    found.refused_wrongly = len(world.auditor.refusals.wrongly)
    found.words += world.auditor.refusals.wrongly
    return found


def _count_orders(world: World, found: Reckoning) -> None:
    """Lost: at the exchange and not on our books, or alive on ours and not there. Doubled: asked for twice."""
    intents = {one.fact.order.client_order_id for one in world.journal.records() if isinstance(one.fact, OrderCreated)}
    asked = Counter(
        request.order.client_order_id
        for request in map(decoded, world.log.records)
        if not isinstance(request, CancelRequest) and request.order.client_order_id not in world.foreign
    )
    asked.subtract(world.forgotten)
    theirs = {report.client_order_id: report for report in all_reports(world)}
    for order_id in theirs.keys() - world.foreign - world.disruptions.external - intents:
        if ended_unseen(theirs[order_id]):
            continue
        found.lost += 1
        found.words.append(f"lost: {order_id} is at the exchange, and the journal knows nothing of it")
    for order in world.engine.state.ledger.state.orders.values():
        if order.role is Elsewhere.CLOSED:
            continue  # the order is another's: the auditor compares its fills
        report = theirs.get(order.id) if order.id not in world.foreign - world.adopted else None
        if order.id in world.disruptions.unlisted or (order.id in world.disruptions.taken_back and _is_said(world)):
            continue  # the account alone says otherwise, or the desk says that the two differ
        if order.id in world.disruptions.taken_back and (world.is_restored or world.foreign):
            continue  # an order that the folder does not know makes up for it: the positions agree
        if _is_another_story(order, report) and not is_kept_here(world, order):
            found.lost += 1
            found.words.append(f"lost: {order.id} is {order.status.value} here, {report and report.raw_status} there")
    sent_again = world.auditor.story.sent_again | world.sent_again
    for order_id, times in asked.items():
        if times > 1 and order_id not in sent_again:  # of one name the exchange takes one
            found.doubled += 1
            found.words.append(f"doubled: {order_id} was asked for {times} times")


def all_reports(world: World) -> tuple[OrderReport, ...]:
    """Of every order that the exchange ever had; its own list ends with seven days."""
    world.exchange.advance(world.wire.at)
    return tuple(order.whole_report() for order in world.exchange._book.every())


def ended_unseen(report: OrderReport) -> bool:
    """A leg that ended unfilled with its entry, before anything that the broker said named it: nothing to take in."""
    is_leg = report.client_order_id.startswith(LEG)
    has_ended = report.status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED)
    return is_leg and has_ended and not report.filled_quantity


def _is_another_story(order: Order, report: OrderReport | None) -> bool:
    """Alive on one side alone, or filled otherwise. How it ended may differ: what was given up may arrive and fill."""
    if report is None or report.status is None:
        return order.is_working or bool(order.filled_quantity)
    return order.is_working is not report.status.is_working or order.filled_quantity != report.filled_quantity


def _compare_positions(world: World, found: Reckoning) -> None:
    ledger = world.engine.state.ledger
    held = {position.symbol: position.quantity for position in world.exchange.books(world.wire.at).positions}
    for symbol in {*held, *(position.symbol for position in ledger.positions())}:
        ours, true = ledger.net_quantity(symbol), held.get(symbol, ZERO)
        if ours != true and not _is_said(world):
            found.differing += 1
            found.words.append(f"differs: {symbol} is {ours} here and {true} at the exchange")


def _is_said(world: World) -> bool:
    """More was done elsewhere than may be corrected without a person: the desk is read-only and says why."""
    is_elsewhere = bool(world.foreign) or bool(world.disruptions.taken_back) or bool(world.actions.open())
    return is_elsewhere and not world.engine.state.control.state.is_reconciled


def is_kept_here(world: World, order: Order) -> bool:
    """Proven not to be there, and not sent while a person is to say what is held."""
    state, symbol = world.engine.state, order.request.symbol
    waits = symbol in state.sightings.differing or state.may_have_unknown_orders(symbol)
    return order.kept is not None and waits and _is_said(world)


def loose_exits(world: World) -> list[str]:
    """Exits that work at the exchange for more than is held there, at this instant.

    But those of which the request for less hangs: the line lost or kept it, or the desk died around its sending. They
    are what guards until look-ups prove that it is lost, and a desk that came up begins with it anew. And those whose
    cancel was asked for and did not come through just now: it is asked for again.
    """
    found = Reckoning()
    _compare_cover(world, found, asked_for_less={*_in_doubt_for_less(world), *_asked_to_go(world)})
    return [words for words in found.words if words.startswith("loose")] if found.loose else []


def _in_doubt_for_less(world: World) -> Iterator[str]:
    story = world.auditor.story
    for order_id, less in story.orders.items():
        old = story.orders.get(less.order.replaces or "")
        if old is None or less.status is not OrderStatus.PENDING or less.order.quantity >= old.order.quantity:
            continue
        has_survived = story.down is not None and less.sequence < story.started
        since = story.down[1] if story.down is not None and has_survived else less.at
        if (has_survived or order_id in world.line.troubled) and hangs(less, since, world.wire.at):
            yield old.order.client_order_id


def hangs(less: Seen, since: datetime, at: datetime) -> bool:
    """Whether a request for less has no answer, and its misses do not prove yet that it is lost."""
    if less.status is not OrderStatus.PENDING:
        return False
    return at - since <= A_DOUBT if less.missed_at is None else at - less.missed_at <= A_MISS


def _asked_to_go(world: World) -> Iterator[str]:
    for order in world.engine.state.ledger.working():
        if order.cancel_failed_at is not None and world.wire.at - order.cancel_failed_at <= A_DOUBT:
            yield order.id


def _compare_cover(world: World, found: Reckoning, asked_for_less: Collection[str] = ()) -> None:
    """What the desk shows as covered, orders at the exchange do cover; the rest is shown as nobody's but yours.

    And no exit is left at the exchange for more than is held, but what it has been asked to cancel and said yes to.
    """
    at, ledger = world.wire.at, world.engine.state.ledger
    exits, largest, going = (Counter[tuple[str, Side]]() for _ in range(3))
    for report in all_reports(world):
        order = ledger.order(report.client_order_id)
        if report.status is None or not report.status.is_working or order is None or not order.only_reduces:
            continue
        left = report.quantity - report.filled_quantity
        is_going = world.surprises.holds_the_cancel_of(order.id, at) or order.id in asked_for_less
        if report.raw_status != HELD and order.role is not LegRole.TARGET:  # the one waits, the other's stop counts
            exits[report.symbol, report.side] += left
            going[report.symbol, report.side] += left * is_going
        if report.raw_status != HELD and not is_going:
            largest[report.symbol, report.side] = max(largest[report.symbol, report.side], left)
    held, shown = Counter[tuple[str, Side]](), Counter[tuple[str, Side]]()
    for row in ViewBuilder(world.engine).draw(at).positions:
        way_out = (row.symbol, Side.SELL if row.quantity > 0 else Side.BUY)
        held[way_out] += abs(row.quantity)
        shown[way_out] += row.covered
    for way_out in {*largest, *exits, *held}:
        symbol, side = way_out
        if shown[way_out] > exits[way_out]:
            found.bare += 1
            found.words.append(f"bare: {shown[way_out]} {symbol} are shown as covered, and {exits[way_out]} are")
        out = max(exits[way_out] - going[way_out], largest[way_out])  # a target alone is an exit as well
        if out > held[way_out] and not _is_said(world):
            found.loose += 1
            found.words.append(f"loose: exits {side.value} {out} {symbol} for {held[way_out]} held")
