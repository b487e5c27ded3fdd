"""A session from a seed: a settings profile, and a list of events that says nothing of what it will meet.

An event that does not fit the moment (a cancel without an order) does nothing, so that any part of a list is a list
that can be played. What each event does is `simulation.play`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random

from core.settings.settings import Settings
from tests.simulation import drafter
from tests.simulation.contradiction_play import CONTRADICTING
from tests.simulation.corporate_play import ANNOUNCING
from tests.simulation.desk_play import a_key_on_its_way, what_desks_do
from tests.simulation.disruption_play import DISRUPTING
from tests.simulation.limits import CONTROLS, UNGUARDED, URGENT
from tests.simulation.other_exchange import Manners
from tests.simulation.rough import HAS_IT, ROUGH
from tests.simulation.surprises import REFUSALS
from tests.simulation.time_play import TIMING

LEAST, MOST = 30, 52
"""Events of a session."""
LEVELS = ("100.00", "99.90", "99.60", "99.30", "99.00", "97.50", "100.20", "100.60", "101.50")
GAPS = ("0", "0", "0", "-0.40", "0.40", "-2.50")
VOLUMES = (5, 30, 60, 1000, 1000)
REQUESTS = (
    "SubmitOrder",
    "SubmitOrder",
    "SubmitOrder",
    "ReplaceOrder",
    "CancelOrder",
    "CancelOrder",
    "LookUpOrder",
    "FetchFigures",
    "FetchBooks",
    "FetchAccount",
)
PLACES = (
    "",
    "",
    "",
    "sync",
    "SubmitOrder leaves",
    "SubmitOrder left",
    "CancelOrder le",
    "ReplaceOrder le",
    "SubmissionAnswered",
    "BrokerUpdated",
    "LookUpAnswered",
    "BooksFetched",
    "CancelAnswered",
    "ConfirmationReceived",
    "ApprovalRedeemed",
    "OrderCreated",
    "OrderStateChanged",
    "OrderFilled",
    "OrderFilled",
    "PositionChanged",
    "PositionChanged",
    "PositionChanged",
    "OrderStateUnknown",
    "Killed",
    "AuthorizationEnded",
    "BasketSigned",
    "BasketTurnBegun",
    "BasketPhaseChanged",
    "BasketOrderSkipped",
    "BasketEnded",
    "FiguresFetched",
    "ExitReleased",
)
"""Words in the names of the places where the process dies; the empty one is in all of them."""
PLENTY, LITTLE = 50_000, 3_000
TIGHT = {"not_for": (), "manual": True, "profit_target": "0.003", "stop": "0.003", "trail": "0.004"}
"""Exit rules that speak often."""
ADVISED = {
    "enabled": True,
    "symbols": ["AAA"],
    "requires_recommendation": True,
    "price_tolerance": "0.02",
    "bars": 2,
    "strength_bars": 2,
    "volume_bars": 2,
    "range_bars": 2,
    "quantity_step": "1",
}
"""A strategy that enters on nothing but a draft that the operator adopted for it."""
Arguments = tuple[str | int | float | bool, ...]
Draw = Callable[[Random], Arguments]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a desk: the name of what plays it, and its arguments."""

    name: str
    arguments: Arguments = ()

    def __str__(self) -> str:
        return f"{self.name.replace('_', ' ')} {', '.join(str(one) for one in self.arguments)}".strip()


@dataclass(frozen=True, slots=True)
class Profile:
    """How the desk and its account are set, and how this broker is.

    Attributes
    ----------
    minutes
        From the session's open to the start.
    is_terse
        The broker's reports list no executions.
    is_guarded
        By the protections, as they are set for everybody.
    is_wide
        Four symbols and two strategies, not SPY and vwap alone.
    unattended
        Of the tickets of entries those that sign the exits too.
    speaks_often
        The exit rules are tight; where they are not, positions stay, and what is missing of them shows.
    cash
        USD; with little of it a buy needs what a sale frees.
    manners
        How its exchange differs from ours; None where it does not.
    dead_man
        Hours without a key after which a live desk takes no entries; 0 where it is on paper.
    """

    is_whole: bool
    is_margin: bool
    holder: str
    minutes: int
    review: str
    is_terse: bool
    is_guarded: bool
    is_wide: bool
    unattended: float
    speaks_often: bool
    cash: int
    manners: Manners | None = None
    dead_man: float = 0.0

    def settings(self) -> Settings:
        """Limits wide enough for many trades a day."""
        return Settings.model_validate(
            {
                "symbols": ["SPY", "AAA", "BBB", "CCC"] if self.is_wide else ["SPY"],
                "exits": TIGHT if self.speaks_often else {"not_for": (), "manual": True},
                "risk": {
                    **CONTROLS,
                    "per_trade": {"usd": "30"},
                    "max_notional": {"usd": "1000" if self.cash == PLENTY else "2500"},
                    "max_open_positions": 3,
                    "daily_loss": {"usd": "5000"},
                    "weekly_loss": {"usd": "5000"},
                    "protections": {} if self.is_guarded else UNGUARDED,
                    "entries_a_day": 100,
                    "window_start": "09:30",
                    "window_end": "15:59",
                },
                "notify": URGENT,
                "agents": drafter.TERMS,
                "staging": {"review_seconds": self.review},
                "strategies": {
                    "vwap": {
                        "minimum_bars": 2,
                        "minimum_volume": "10",
                        "entry_deviation": "0.001",
                        "quantity_step": "1" if self.is_whole else "0.001",
                        "stop_holder": self.holder,
                        "symbols": ["SPY"],
                    },
                    "momentum": ADVISED if self.is_wide else {},
                },
                "exchange": {"multiplier": "2" if self.is_margin else "1"},
            }
        )


@dataclass(frozen=True, slots=True)
class Session:
    """`seed` and `number` make all of it."""

    seed: int
    number: int
    profile: Profile
    events: tuple[Event, ...]
    has_desks: bool = False

    def having(self, events: tuple[Event, ...]) -> Session:
        return replace(self, events=events)


def session_of(seed: int, number: int) -> Session:
    """The same two numbers make the same session, in any process."""
    chance, apart = Random(f"{seed}:{number}"), Random(f"{seed}:{number}:apart")
    profile = Profile(
        is_whole=chance.random() < 0.5,
        is_margin=chance.random() < 0.5,
        holder=chance.choice(("broker", "broker", "broker", "desk")),
        minutes=chance.choice((1, 30, 120, 240, 330, 372)),
        review=chance.choice(("3", "3", "8")),
        is_terse=chance.random() < 0.5,
        is_guarded=Random(f"{seed}:{number}:guarded").random() < 0.5,
        is_wide=apart.random() < 0.6,
        unattended=apart.choice((0.1, 0.1, 0.4, 0.9)),
        speaks_often=apart.random() < 0.4,
        cash=apart.choice((PLENTY, PLENTY, LITTLE)),
        manners=manners_of(Random(f"{seed}:{number}:manners")),
    )
    makers, weights = list(EVENTS), [weight for weight, _ in EVENTS.values()]
    names = chance.choices(makers, weights, k=chance.randint(LEAST, MOST))
    if "the_process_dies" not in names:
        names.insert(chance.randrange(len(names) * 3 // 4), "the_process_dies")
    for wanted in IN_EVERY_SESSION:
        if wanted not in names:
            names.insert(chance.randrange(len(names) // 2), wanted)
    events = [Event(name, EVENTS[name][1](chance)) for name in names]
    _roughen(events, Random(f"{seed}:{number}:rough"), ROUGH)
    _roughen(events, Random(f"{seed}:{number}:contradictions"), CONTRADICTING)
    return Session(seed, number, profile, tuple(events))


def session_with_desks(seed: int, number: int) -> Session:
    """The same session, played from desks that come and go."""
    session, chance = session_of(seed, number), Random(f"{seed}:{number}:desks")
    events = list(session.events)
    for _ in range(chance.randint(4, 12)):
        events.insert(chance.randrange(len(events)), Event("desks_come_and_go", what_desks_do(chance)))
    for _ in range(chance.randint(2, 6)):
        events.insert(chance.randrange(len(events)), Event("a_key_across_a_hand_over", a_key_on_its_way(chance)))
    for _ in range(chance.randint(0, 2)):
        events.insert(chance.randrange(len(events)), Event("a_basket_across_a_hand_over", a_key_on_its_way(chance)))
    dead_man = Random(f"{seed}:{number}:dead man").choice((0.0, 0.0, 0.25))
    profile = replace(session.profile, dead_man=dead_man)
    return replace(session, profile=profile, events=tuple(events), has_desks=True)


def session_with_agents(seed: int, number: int) -> Session:
    """The same session, in which an agent drafts again and again (OP-09)."""
    session, chance = session_of(seed, number), Random(f"{seed}:{number}:agents")
    events = list(session.events)
    for _ in range(chance.randint(6, 16)):
        events.insert(chance.randrange(len(events)), Event("an_agent_drafts", a_draft(chance)))
    return replace(session, events=tuple(events))


def made(seed: int, number: int) -> Session:
    """Every other session is played from desks that come and go; in every fourth one an agent drafts.

    In any of them the broker's books may not be ordinary.
    """
    if number % 4 == 2:
        session = session_with_agents(seed, number)
    else:
        session = session_with_desks(seed, number) if number % 2 else session_of(seed, number)
    events = list(session.events)
    _roughen(events, Random(f"{seed}:{number}:disruptions"), DISRUPTING)
    _roughen(events, Random(f"{seed}:{number}:timing"), TIMING)
    _roughen(events, Random(f"{seed}:{number}:announcements"), ANNOUNCING)
    return session.having(tuple(events))


def _roughen(events: list[Event], chance: Random, drawn: Mapping[str, tuple[int, Draw]]) -> None:
    """Some sessions have an event of these often, others never; each takes the place of another one."""
    for name, (most, draw) in drawn.items():
        if chance.random() >= HAS_IT or not most:
            continue
        for _ in range(chance.randint(1, most)):
            place = chance.randrange(len(events))
            event = Event(name, draw(chance))
            if events[place].name not in (*IN_EVERY_SESSION, "the_process_dies"):
                events[place] = event


def manners_of(chance: Random) -> Manners | None:
    """Half of the sessions trade at an exchange that differs from ours in one way or several."""
    manners = Manners(
        ends_siblings=chance.random() < 0.7,
        limits_wait=chance.choice((0.0, 0.0, 0.0, 20.0, 90.0)),
        drops_legs=chance.random() < 0.15,
    )
    return None if manners == Manners() else manners


# ── what can happen ──────────────────────────────────────────────────────────────────────────────────────────────────


def a_bar(chance: Random) -> Arguments:
    """Close, gap before the open, volume, and how many seconds of it pass."""
    seconds = chance.choice((60.0, 60.0, 60.0, 21.0, 40.5))
    return chance.choice(LEVELS), chance.choice(GAPS), chance.choice(VOLUMES), seconds


def a_quiet_time(chance: Random) -> Arguments:
    return chance.choice((3, 8, 20, 60)), chance.randrange(1 << 30)


def a_wait(chance: Random) -> Arguments:
    return (chance.choice((0.05, 0.15, 1.0, 3.1, 10.0, 61.0)),)


def a_thought(chance: Random) -> float:
    return chance.choice((0.5, 0.5, 0.5, 2.0, 58.0))


def a_dip(chance: Random) -> Arguments:
    return chance.choice(("-0.15", "-0.30", "-0.60")), a_thought(chance), chance.choice(VOLUMES)


def a_reading(chance: Random) -> Arguments:
    return chance.randrange(3), a_thought(chance), chance.choice((0.35, 0.35, 6.0))


def a_pick(chance: Random) -> Arguments:
    return (chance.randrange(4),)


def a_typed_order(chance: Random) -> Arguments:
    return (
        chance.choice(("open", "open", "open", "add", "reduce", "close", "short", "cover")),
        chance.choice(("1", "3", "8", "0.5", "2.5")),
        chance.choice(("", "", "-0.05", "0.05", "0.50", "-0.60")),
        chance.choice(("0.30", "1.00", "3.00")),
        chance.choice(("broker", "broker", "desk", "you")),
        chance.choice(("SPY", "SPY", "AAA", "BBB", "CCC")),
    )


def a_signed_exit(chance: Random) -> Arguments:
    """Side, move of the price that its rule then answers, volume, wait for the key's answer."""
    return (
        chance.choice(("open", "open", "open", "short")),
        chance.choice(("0.60", "0.60", "-0.60", "-1.50", "2.00")),
        chance.choice(VOLUMES),
        chance.choice((0.35, 0.35, 0.05, 6.0)),
    )


def an_entry_that_waits(chance: Random) -> Arguments:
    """Effect, kind, way to its trigger, quantity, way to its stop, symbol, seconds to live, move of the price after."""
    return (
        chance.choice(("open", "open", "add", "short")),
        chance.choice(("stop", "stop", "stop_limit", "trailing_stop")),
        chance.choice(("0.05", "0.30", "0.60")),
        chance.choice(("1", "3", "8", "2.5")),
        chance.choice(("0.30", "1.00", "3.00")),
        chance.choice(("SPY", "SPY", "AAA", "BBB", "CCC")),
        chance.choice((0, 0, 5, 90)),
        chance.choice(("0.70", "0.70", "-0.70", "0.02")),
    )


def a_close(chance: Random) -> Arguments:
    return (chance.choice(("1", "1", "0.5", "0.3")),)


def an_edit(chance: Random) -> Arguments:
    return (
        chance.randrange(3),
        chance.choice(("1", "1", "2", "0.5", "50", "0")),
        chance.choice(("", "", "-0.05", "0.02")),
        chance.choice(("no key", "the key before", "the old key after", "open again")),
    )


def a_move(chance: Random) -> Arguments:
    return chance.choice(("-0.05", "-0.20", "-0.60", "-1.50", "0.10")), chance.choice((0.5, 0.5, 20.0))


def a_change(chance: Random) -> Arguments:
    return (
        chance.randrange(3),
        chance.choice(("-2", "-1", "0", "0", "1", "4")),
        chance.choice(("", "-0.30", "-0.05", "0.05", "0.30")),
        chance.choice((0.5, 0.5, 20.0)),
    )


def a_wrong_key(chance: Random) -> Arguments:
    return chance.choice(("effect", "digest", "other", "twice", "old")), chance.choice((0.0, 0.15, 0.5))


def a_kill(chance: Random) -> Arguments:
    ends = ("resume", "resume", "re-arm", "re-arm", "naked", "killed")
    return chance.choice(ends), chance.choice((0.0, 1.0))


def something_between(chance: Random) -> Arguments:
    what = chance.choice(("kill", "close", "decline", "halt", "die", "key", "bar"))
    return chance.choice((0.0, 2.0, 4.0, 6.0)), chance.choice((0.0, 0.15)), what


def a_source(chance: Random) -> str:
    return chance.choice(("a file", "a file", "a file", "the waiting proposals", "flatten everything"))


def a_plan(chance: Random) -> Arguments:
    """Source, seed of its rows, a thought before the marks, how it is signed, wait, what comes between, the answer."""
    return (
        a_source(chance),
        chance.randrange(1 << 30),
        chance.choice((0.0, 0.5, 2.0, 70.0)),
        chance.choice(("at once", "at once", "at once", "at once", "late", "twice", "wrong")),
        chance.choice((0.0, 0.05, 0.12, 0.3, 0.6, 2.0)),
        chance.choice(
            (
                "nothing", "nothing", "nothing", "bar", "bar", "kill", "halt", "stop", "another", "die",
                "die soon", "die soon", "die soon", "trouble", "trouble", "trouble", "own key",
                "cancel", "taken away", "decline", "edit", "close", "closed elsewhere", "mark",
            )
        ),
        chance.choice(("go on", "go on", "stop", "nothing")),
    )  # fmt: skip


def an_unplayed_plan(chance: Random) -> Arguments:
    return a_source(chance), chance.randrange(1 << 30)


def a_seed(chance: Random) -> Arguments:
    return (chance.randrange(1 << 30),)


def a_signature(chance: Random) -> Arguments:
    return (chance.choice(("at once", "at once", "late", "twice", "wrong")),)


def an_answer(chance: Random) -> Arguments:
    return (chance.random() < 0.6,)


def an_advice(chance: Random) -> Arguments:
    """Whether the operator adopts what the agent drafts for a strategy."""
    return (chance.random() < 0.8,)


def a_draft(chance: Random) -> Arguments:
    """What the agent does, its order (effect, quantity, limit and stop from the price, symbol), and what the operator
    does with it.
    """
    effect = chance.choice(("open", "open", "open", "open", "short", "close", "close", "cover"))
    quantity = chance.choice(("", "", "1", "2.5", "3", "900"))
    limit = chance.choice(("", "-0.05", "0.10", "-1.00"))
    away = chance.choice(("-1.50", "-2.00", "-3.00", "1.00", ""))
    stop = {"open": away, "short": away.removeprefix("-")}.get(effect, "")
    symbol = chance.choice(("SPY", "SPY", "AAA", "BBB"))
    return (
        chance.choice(drafter.DEEDS),
        effect,
        quantity,
        limit,
        stop,
        symbol,
        chance.choice(drafter.ANSWERS),
        chance.random() < 0.7,
    )


def a_trouble_of_the_line(chance: Random) -> Arguments:
    match chance.choice(("request", "answer", "answer", "update", "update")):
        case "request":
            to, of, fate = "request", chance.choice(REQUESTS), chance.choice(("lost", "late"))
        case "answer":
            to, of, fate = "answer", chance.choice(REQUESTS), chance.choice(("lost", "late", "twice", "unreadable"))
        case _:
            to, of, fate = "update", "", chance.choice(("lost", "late", "late", "twice"))
    return to, of, fate, chance.choice((0.0, 0.3, 0.5, 2.0, 6.0, 20.0, 30.0, 90.0))


def a_gap(chance: Random) -> Arguments:
    return (chance.choice((1.0, 20.0, 90.0)),)


def a_surprise(chance: Random) -> Arguments:
    match chance.choice(("order", "order", "order", "cancel", "report", "legs", "legs")):
        case "order":
            what = chance.choice((*REFUSALS, "504", "504", "504", "duplicate", "duplicate", "rejected"))
            return "order", what, 0.0
        case "cancel":
            return "cancel", chance.choice(("pending", "pending", "refused")), chance.choice((0.5, 5.0, 45.0))
        case "legs":
            return "legs", "left out", 0.0
        case _:
            return "report", "unknown status", 0.0


def a_block(chance: Random) -> Arguments:
    return (chance.choice((5.0, 120.0)),)


def a_skew(chance: Random) -> Arguments:
    return (chance.choice((-30.0, -2.0, 0.8, 3.0, 30.0)),)


def a_crash(chance: Random) -> Arguments:
    """How many places on, of which name; lines kept that were not synced; from a checkpoint; down; dying again at."""
    named = chance.choice(PLACES)
    places = chance.randint(0, 30) if not named else chance.choice((1, 1, 2, 3, 5))
    again = chance.choice((0, 0, 0, 1, 2, 3, 5, 8))
    return places, named, chance.randint(0, 3), chance.random() < 0.5, chance.choice((0.1, 1.0, 30.0, 200.0)), again


def nothing(_chance: Random) -> Arguments:
    return ()


EVENTS: dict[str, tuple[int, Callable[[Random], Arguments]]] = {
    "a_bar_trades": (8, a_bar),
    "quiet_minutes": (5, a_quiet_time),
    "time_passes": (5, a_wait),
    "the_market_closes": (1, nothing),
    "a_dip_is_bought": (14, a_dip),
    "the_operator_confirms": (8, a_reading),
    "everything_is_confirmed": (4, nothing),
    "a_ticket_is_opened": (2, a_pick),
    "a_ticket_is_left": (2, a_pick),
    "a_proposal_is_declined": (2, a_pick),
    "an_order_is_typed": (9, a_typed_order),
    "an_exit_is_signed": (2, a_signed_exit),
    "an_entry_waits_for_its_trigger": (4, an_entry_that_waits),
    "a_close_is_confirmed": (6, a_close),
    "all_is_flattened": (2, nothing),
    "a_proposal_is_edited": (3, an_edit),
    "a_stop_is_moved": (5, a_move),
    "an_entry_is_edited": (5, a_change),
    "an_order_is_cancelled": (4, a_pick),
    "a_wrong_key_is_turned": (3, a_wrong_key),
    "something_between_key_and_figures": (3, something_between),
    "the_kill_key": (3, a_kill),
    "the_desk_is_armed_again": (7, nothing),
    "the_strategy_is_paused": (1, a_pick),
    "a_plan_is_played": (10, a_plan),
    "a_plan_is_opened": (2, an_unplayed_plan),
    "a_plan_is_marked": (2, a_seed),
    "a_plan_is_signed": (2, a_signature),
    "a_plan_is_answered": (2, an_answer),
    "a_plan_is_left": (1, nothing),
    "a_strategy_is_advised": (2, an_advice),
    "the_line_fails": (16, a_trouble_of_the_line),
    "the_stream_is_gone": (2, a_gap),
    "an_update_is_replayed": (4, a_pick),
    "the_broker_surprises": (12, a_surprise),
    "the_account_is_blocked": (1, a_block),
    "the_clocks_part": (1, a_skew),
    "an_order_is_taken_away": (2, a_pick),
    "the_position_is_closed_elsewhere": (1, nothing),
    "a_checkpoint_is_written": (4, nothing),
    "the_process_dies": (8, a_crash),
}
"""How often each is drawn, and what its arguments are drawn from."""

IN_EVERY_SESSION = ("a_plan_is_played", "an_order_is_typed", "an_exit_is_signed")
"""What no session is without, beside the death of its process."""
