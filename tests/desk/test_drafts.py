"""Agents' drafts at the desk: read, adopted, declined, and their false facts on a ticket (OP-09, OP-14)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from console.bell import Bell
from console.display import title_of
from console.proposal_outcome import waiting_exit
from console.screens.draft import DraftScreen
from console.screens.edit import DeclineScreen
from console.screens.reading import READING
from console.screens.ticket import TicketPhase, TicketScreen
from core.facts import ConfirmationReceived, DraftEnded, DraftNotStaged, DraftReviewed, OrderCreated
from core.messages.commands import AdoptDraft, DeclineDraft, RefuseSymbol
from core.messages.inputs import DraftSubmitted, Priority
from core.model.draft import CheckedFact, DraftEnd, DraftFact, DraftRequest, DraftTerms, FactResult
from core.model.order import Effect, OrderType, TimeInForce, digest_of
from core.model.values import Fraction, Money, Price, Quantity, Symbol
from core.settings.settings import Settings
from core.views import DraftRow
from tests.desk.desk_house import SPY, House, at_both_ends, open_desk
from tests.desk.hands import Disk
from tests.desk.still_house import a_position, a_view, an_exit, open_still, the_engines_view
from tests.desk.test_several_desks import eve, eve_takes
from tests.kit.stepped_engine import SteppedHandle
from widgets.draft_text import BRIEF, fact_in_words, fact_texts

REASON = "it turned up"
SIZES = ((80, 24), (120, 40), (200, 60))


def a_fact(name: str, value: str, result: FactResult = FactResult.MATCHES, ours: str | None = None) -> CheckedFact:
    stated = DraftFact("SPY", name, Decimal(value), None, "get_quote")
    return CheckedFact(stated, result, None if ours is None else Decimal(ours))


FALSE = a_fact("position", "3", FactResult.DIFFERS, "0")


def a_draft(number: int = 1, **parts: Any) -> DraftRow:
    at = the_engines_view().status.at
    terms: dict[str, Any] = {
        "number": number, "digest": digest_of("draft", str(number)),
        "agent": "claude", "symbol": SPY, "effect": Effect.OPEN,
        "quantity": Quantity(Decimal("0.09")), "is_sized": True, "type": OrderType.LIMIT,
        "limit_price": Price(Decimal("496.00")), "stop_price": Price(Decimal("494.00")), "target_price": None,
        "time_in_force": TimeInForce.DAY, "reason": "it turned up", "facts": (a_fact("price", "496.10"), FALSE),
        "confidence": Fraction(Decimal("0.6")), "drafted_at": at - timedelta(seconds=61),
        "expires_at": at + timedelta(minutes=14), "cost": Money(Decimal("44.64")), "risk": Money(Decimal("0.18")),
        "earlier": 3, "checkable": 8, "false": 2,
    }  # fmt: skip
    return DraftRow(**{**terms, **parts})


def submits(
    house: House, *stated: tuple[str, str], effect: Effect = Effect.OPEN, key: str = "a", reason: str = REASON
) -> None:
    """As the runtime hears an agent, in its own thread."""
    is_entry = not effect.only_reduces
    terms = DraftTerms(
        SPY,
        effect,
        Quantity(Decimal("0.09" if is_entry else "0.1")),
        OrderType.LIMIT if is_entry else OrderType.MARKET,
        Price(Decimal("496.00")) if is_entry else None,
        Price(Decimal("494.00")) if is_entry else None,
    )
    facts = tuple(DraftFact("SPY", field, Decimal(value), None, "get_quote") for field, value in stated)
    message = DraftSubmitted("claude", DraftRequest(key, terms, reason, facts, Fraction(Decimal("0.6"))), 1)
    runtime = house.runtime
    runtime._later(runtime.at, Priority.MARKET, lambda: runtime.take(runtime.at, message))
    runtime.wake()


@asynccontextmanager
async def with_an_agent(**terms: Any) -> AsyncIterator[House]:
    async with open_desk(settings=Settings.model_validate({"agents": {"claude": {}}}), **terms) as house:
        yield house


async def opens_the_ticket_of_the_draft(house: House) -> TicketScreen:
    """By Enter, and Enter again once it was read."""
    await house.until(lambda: house.desk.view is not None and house.desk.view.drafts)
    await house.press("1", "end", "enter")
    await house.until(lambda: isinstance(house.desk.screen, DraftScreen))
    await house.press("enter")
    await house.until(lambda: isinstance(house.desk.screen, TicketScreen))
    screen = house.desk.screen
    assert isinstance(screen, TicketScreen)
    await house.until(lambda: screen.phase is not TicketPhase.FETCHING)
    return screen


async def test_drafts_stand_below_the_proposals_at_every_size() -> None:
    """OP-09"""
    for size in SIZES:
        async with open_still(a_view(drafts=(a_draft(), a_draft(2, facts=()))), size) as house:
            await house.sees("1 waiting, 2 drafts", "draft BUY", "14:00", "✗1 claude", "claude risk 0.18")
            await house.press("1", "end", "up")
            await house.sees("✗ SPY position 3, ours 0; claude: it turned up")
            assert house.handle.commands == []


async def test_enter_reads_a_draft_and_enter_adopts_it() -> None:
    """OP-09, OP-14"""
    async with open_still(a_view(drafts=(a_draft(),)), (80, 24)) as house:
        await house.press("1", "end", "enter")
        assert isinstance(house.desk.screen, DraftScreen)
        await house.sees("Draft 1 of claude", "0.09 SPY limit 496.00", "44.64 USD", "STOP 494.00", "0.18 USD")
        await house.sees("✗ SPY position 3, ours 0", "✓ SPY price 496.10", "60 %", "3 drafts before it; 2 of 8 facts")
        assert house.handle.commands == []
        await house.press("enter")

        assert house.handle.commands == [AdoptDraft(1, digest_of("draft", "1"))]
        assert not isinstance(house.desk.screen, DraftScreen)


async def test_a_draft_shows_the_score_of_its_agent() -> None:
    """OP-14: read from the journal at the desk; a journal that cannot be read hinders nothing"""
    for files, words in ((Disk(), "the score of claude"), (Disk(fails="the disk is gone"), "not known: the disk")):
        async with open_still(a_view(drafts=(a_draft(),)), surroundings=files) as house:
            await house.press("1", "end", "enter")
            await house.until(lambda house=house: house.desk.screen.score != READING)
            await house.sees(words)
            await house.press("enter")

            assert len(house.handle.commands) == 1


async def test_a_draft_that_is_gone_is_not_adopted() -> None:
    """OP-09: it expired while it was read"""
    async with open_still(a_view(drafts=(a_draft(),))) as house:
        await house.press("1", "end", "enter")
        await house.shows_next(drafts=())
        await house.sees("no longer waits")
        await house.press("enter", "x")

        assert house.handle.commands == []
        assert isinstance(house.desk.screen, DraftScreen)


async def test_another_draft_of_its_number_is_not_adopted_unread() -> None:
    """OP-09: after a restart that lost the one that is shown"""
    shown, other = a_draft(), a_draft(digest=digest_of("other"), quantity=Quantity(Decimal(900)))
    async with open_still(a_view(drafts=(shown,))) as house:
        await house.press("1", "end", "enter")
        await house.shows_next(drafts=(other,))
        await house.sees("no longer waits", "0.09 SPY")
        await house.press("enter", "escape")

        assert house.handle.commands == []


async def test_x_declines_a_draft_with_or_without_a_reason() -> None:
    """OP-09: in the pane, and while it is read"""
    async with open_still(a_view(drafts=(a_draft(), a_draft(2)))) as house:
        await house.press("1", "end", "x")
        assert isinstance(house.desk.screen, DeclineScreen)
        await house.press(*"wide", "enter")
        assert house.handle.commands == [DeclineDraft(2, digest_of("draft", "2"), "wide")]

        await house.press("1", "end", "up", "enter", "x", "enter")
        assert house.handle.commands[1:] == [DeclineDraft(1, digest_of("draft", "1"), "")]
        await house.shows_next(drafts=())
        assert len(house.desk.screen_stack) == 1


async def test_other_keys_on_a_draft_say_what_they_mean() -> None:
    """OP-09: its symbol may be refused; it has no strategy to pause"""
    async with open_still(a_view(drafts=(a_draft(),))) as house:
        await house.press("1", "end", "s")
        await house.sees("keyturn agents pause claude")
        await house.press("X")
        await house.wait(0.6)
        await house.press("D")
        await house.until(lambda: house.handle.commands)
        assert house.handle.commands == [RefuseSymbol(SPY, "refused by the operator")]


async def test_only_the_desk_in_control_decides() -> None:
    """OP-13: any desk reads"""
    async with with_an_agent() as house:
        submits(house, ("position", "0"))
        await eve_takes(house, await eve(house))
        await house.until(lambda: house.desk.view is not None and house.desk.view.drafts)
        await house.press("1", "end", "enter")
        assert isinstance(house.desk.screen, DraftScreen)
        await house.press("enter", "x")
        await house.wait(0.3)

        assert isinstance(house.desk.screen, DraftScreen)
        assert house.facts(DraftEnded) == []


async def test_a_false_fact_disarms_the_ticket_until_r() -> None:
    """OP-14: the whole delay runs again, and the review is recorded with the key"""
    async with with_an_agent(size=(80, 24)) as house:
        submits(house, ("price", "496.21"), ("position", "3"), ("earnings", "2"))
        ticket = await opens_the_ticket_of_the_draft(house)
        assert ticket.phase is TicketPhase.DIFFERS
        await house.sees(
            "drafted by agent claude (draft 1)", "✓ SPY price", "✗ SPY position 3, ours 0", "? SPY earnings 2"
        )
        await house.wait(1)
        await house.press("B")
        await house.wait(0.6)
        await house.sees("a fact of the draft differs: r reviews it")
        assert house.sent_nothing()

        await house.press("r", "B")
        await house.wait(0.4)
        assert house.sent_nothing()
        await house.wait(3)
        await house.until(house.is_armed)
        await house.press("B")
        await house.until(lambda: house.facts(OrderCreated))
        assert [checked.fact.field for checked in house.facts(DraftReviewed)[0].differing] == ["position"]
        assert house.facts(DraftEnded)[0].end is DraftEnd.STAGED


async def test_true_facts_arm_as_any_other_ticket() -> None:
    """OP-14"""
    async with with_an_agent() as house:
        submits(house, ("position", "0"), ("earnings", "2"))
        await opens_the_ticket_of_the_draft(house)
        await house.until(house.is_armed)
        await house.press("B")
        await house.until(lambda: house.facts(ConfirmationReceived))
        assert house.facts(DraftReviewed) == []
        await house.press("3")
        await house.sees("SPY 496.00 working, agent claude", "agent claude")


async def test_a_fact_that_differs_later_disarms_again() -> None:
    """OP-14: also one more after a review; the reviewed ones disarm no more"""
    async with with_an_agent() as house:
        submits(house, ("position", "3"), ("equity", "200"))
        ticket = await opens_the_ticket_of_the_draft(house)
        await house.press("r")
        await house.until(house.is_armed)

        draw = house.runtime.view

        def poorer() -> Any:
            view = draw()
            shown = (
                replace(t, draft=replace(t.draft, facts=_all_false(t.draft.facts))) for t in view.tickets if t.draft
            )
            return replace(view, tickets=tuple(shown))

        house.runtime.view = poorer  # type: ignore[method-assign]
        await house.until(lambda: ticket.phase is TicketPhase.DIFFERS)
        await house.press("B")
        await house.wait(0.6)
        assert house.sent_nothing()
        await house.press("r")
        await house.until(lambda: ticket.phase is TicketPhase.READY)
        assert ticket.standing.reviewed == (0, 1)


def _all_false(facts: tuple[CheckedFact, ...]) -> tuple[CheckedFact, ...]:
    return tuple(replace(checked, result=FactResult.DIFFERS) for checked in facts)


async def test_a_drafted_exit_waits_for_r_and_the_operators_own_does_not() -> None:
    """OP-14: `c` asks for a close of the operator's own, whatever an agent drafted"""
    async with with_an_agent() as house:
        await house.buys()
        submits(house, ("position", "7"), effect=Effect.CLOSE)
        ticket = await opens_the_ticket_of_the_draft(house)
        assert ticket.phase is TicketPhase.DIFFERS
        await house.sees("by agent claude")
        await house.wait(1)
        await house.press("S")
        await house.wait(0.6)
        assert len(house.facts(ConfirmationReceived)) == 1

        await house.press("escape", "2", "c", "enter")
        await house.until(lambda: isinstance(house.desk.screen, TicketScreen) and house.is_armed())
        await house.press("S")
        await house.until(lambda: len(house.facts(ConfirmationReceived)) == 2)


def test_a_drafted_exit_is_not_the_exit_that_c_opens() -> None:
    held, own = a_position(), an_exit()
    drafted = replace(own, agent="claude")
    assert waiting_exit(a_view(proposals=(own,)), held) is own
    assert waiting_exit(a_view(proposals=(drafted,)), held) is None


def test_a_draft_and_an_overstep_ring_once() -> None:
    """OP-09, OP-06"""
    nothing = a_view(proposals=(), staged=0)
    drafted = replace(nothing, drafts=(a_draft(),))
    more = replace(drafted, drafts=(a_draft(), a_draft(2)))
    overstepped = replace(more, agent_oversteps=1)
    bell = Bell()
    views = (nothing, drafted, drafted, more, more, overstepped, overstepped, drafted)
    assert [bell.rings(view, 0.0) for view in views] == [False, True, False, True, False, True, False, False]
    assert title_of(more) == "(2) Keyturn"


async def test_the_chart_follows_a_selected_draft() -> None:
    """Its symbol is that of the row"""
    async with open_still(a_view(drafts=(a_draft(symbol=Symbol("IBM")),))) as house:
        await house.press("1", "end")
        assert house.desk.watched == "IBM"


def test_facts_of_a_ticket_are_listed_or_counted() -> None:
    """OP-14: those that differ first and by themselves; nothing of them is left out without its count"""
    now = the_engines_view().status.at
    facts = (*(a_fact("price", str(100 + n)) for n in range(9)), *(FALSE for _ in range(5)))
    full, brief = fact_texts(facts, now, 67), fact_texts(facts, now, 67, BRIEF)

    assert [text for text, _ in brief][:4] == [*["✗ SPY position 3, ours 0"] * 3, "✗ 2 more differ"]
    assert (len(full), len(brief)) == (6, 5)
    assert full[-1][0].count("✓") == 9
    assert brief[-1][0].endswith("more")
    assert len(brief[-1][0]) <= 67


def test_an_absurd_figure_of_an_agent_can_be_drawn() -> None:
    """OP-14, SY-06"""
    now = the_engines_view().status.at
    for text in ("1E+400", "-9999999999999", "NaN", "Infinity"):
        for name in ("price", "position", "equity", "stop_distance", "anything"):
            assert len(fact_in_words(a_fact(name, text, FactResult.DIFFERS, "1"), now)) < 80


@at_both_ends
async def test_a_draft_crosses_the_wire_and_a_refused_one_stays(handled_by: type[SteppedHandle]) -> None:
    """OP-09: its symbol was refused for the day meanwhile; the last line says why"""
    async with with_an_agent(handled_by=handled_by) as house:
        submits(house, ("position", "3"), ("earnings", "2"))
        await house.until(lambda: house.desk.view is not None and house.desk.view.drafts)
        house.desk.handle.send(RefuseSymbol(SPY, "not today"))
        await house.press("1", "end", "enter")
        await house.until(lambda: isinstance(house.desk.screen, DraftScreen))
        await house.press("enter")
        await house.until(lambda: house.facts(DraftNotStaged))
        await house.until(lambda: "not today" in house.footer() or "refused" in house.footer())

        assert house.desk.view is not None
        assert [row.number for row in house.desk.view.drafts] == [1]
