"""Some sessions in every run of the tests; `make soak PART=sessions N=20000` plays many more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation.contradiction_play import CONTRADICTING
from tests.simulation.machine import a_run
from tests.simulation.play import Played, Player, play
from tests.simulation.rough import ROUGH
from tests.simulation.sessions import (
    EVENTS,
    IN_EVERY_SESSION,
    Event,
    made,
    session_of,
    session_with_agents,
    session_with_desks,
)
from tests.simulation.shrink import shrunk

SEED = 20_131_008
SESSIONS = (3, 6)


def test_no_order_is_lost_or_doubled_over_faults_and_crashes() -> None:
    """EX-05, EX-06, EX-09, EX-10, EX-13, EX-20, EX-21, OP-02, OP-05, OP-06, OP-07, OP-09, ST-09, SP-01, SP-03"""
    played = Played()
    for number in SESSIONS:
        played.add(play(session_of(SEED, number)))

    assert not played.failures
    assert not any(played.zeros.all.values())
    assert played.reached["orders at the exchange"] >= 3 * len(SESSIONS)
    assert played.faults.total() >= 4 * len(SESSIONS)
    for what in ("restarts", "baskets signed", "orders of baskets at the exchange"):
        assert played.reached[what] >= len(SESSIONS), what
    for what in ("sessions with a signed basket", "sessions with a typed entry signed", "sessions with exits signed"):
        assert played.reached[what] >= len(SESSIONS) // 2, what
    assert played.reached["exits that went unattended"] >= 1


def test_only_the_desk_in_control_acts() -> None:
    """OP-13, RK-27, OP-01, OP-02"""
    played = Played()
    played.add(play(session_with_desks(SEED, 0)))

    assert played.failures == []
    assert not any(played.zeros.all.values())
    for what in ("desks lost", "hand-overs", "keys freed", "keys of desks tried", "commands refused", "confirmations"):
        assert played.reached[what] > 0, what


def test_an_agent_only_drafts() -> None:
    """OP-09, OP-14, OP-01: floods, lies, changed keys and other agents' names; what is adopted still needs its key"""
    played = Played()
    for number in (0, 1):
        played.add(play(session_with_agents(SEED, number)))

    assert played.failures == []
    assert not any(played.zeros.all.values())
    for what in ("drafts taken", "drafts rejected", "drafts ended", "confirmations"):
        assert played.reached[what] > 0, what


def test_a_random_day_ends_with_what_was_signed_and_nothing_else() -> None:
    """OP-01, OP-02, EX-01, EX-05, EX-06, EX-08, EX-09, EX-14, EX-20, SP-03"""
    days = a_run(5, 2, shrinks=False)

    assert days.totals["sequences"] >= 5
    assert min(days.totals[what] for what in ("confirmations", "fills", "restarts", "kills", "faults of the line")) > 0


def test_the_same_seed_plays_the_same_session() -> None:
    """EX-20: what failed once can be played again"""
    first, again = Player(session_of(SEED, 3)), Player(session_of(SEED, 3))
    for player in (first, again):
        for event in player.session.events[:10]:
            player.happen(event)
        player.end()

    assert first.session.events == again.session.events
    assert first.world.journal.fingerprint() == again.world.journal.fingerprint()
    assert first.world.log.records == again.world.log.records


def test_sessions_draw_every_event_and_each_what_it_needs() -> None:
    """EX-20"""
    drawn = [{event.name for event in session_of(SEED, number).events} for number in range(60)]

    assert set().union(*drawn) == {*EVENTS, *ROUGH, *CONTRADICTING}
    assert all(names >= {*IN_EVERY_SESSION, "the_process_dies"} for names in drawn)


def test_a_failing_session_is_shortened() -> None:
    """EX-20: to the two events that go wrong together"""
    wrong = session_of(SEED, 0)
    two = (wrong.events[7], wrong.events[30])

    short = shrunk(wrong, tries=200, is_wrong=lambda session: {*two} <= {*session.events})

    assert short.events == two


def test_any_part_of_a_session_can_be_played() -> None:
    """EX-20: an event that does not fit the moment does nothing"""
    session = session_of(SEED, 5)
    for event in session.events[::5]:
        assert not play(session.having((event,))).failures


def test_fills_without_executions_are_derived_once() -> None:
    """EX-05: what it counts and does not list is derived, and the update that comes later counts for nothing"""
    session = session_of(SEED, 0)
    player = Player(replace(session, profile=replace(session.profile, manners=None)))
    player.world.surprises.is_terse = True

    for event in (
        Event("an_order_is_typed", ("open", "1", "0.50", "0.30", "desk")),
        Event("time_passes", (1.0,)),
        Event("the_line_fails", ("update", "", "lost", 0.0)),
        Event("the_line_fails", ("update", "", "lost", 0.0)),
        Event("an_order_is_typed", ("open", "3", "0.50", "0.30", "desk")),
        Event("the_process_dies", (0, "", 0, False, 1.0, 0)),
        Event("an_update_is_replayed", (0,)),
        Event("an_update_is_replayed", (1,)),
    ):
        player.happen(event)
    played = player.end()

    derived = [f for f in player.fills() if ":derived:" in f.execution_id]
    assert len(derived) == 1
    assert player.world.surprises.met["update replayed"] == 2
    assert not played.failures


LEFT_OUT = Event("the_broker_surprises", ("legs", "left out", 0.0))
A_LOST_CLOSE = (
    LEFT_OUT,
    LEFT_OUT,
    LEFT_OUT,
    Event("an_entry_waits_for_its_trigger", ("open", "trailing_stop", "0.05", "3", "3.00", "BBB", 5, "0.70")),
    Event("a_request_hangs", ("an exit", "its answer is lost", 1.0, False, "entry, part, part", 3.0)),
    Event("an_order_is_cancelled", (0,)),
    Event("an_order_is_typed", ("short", "2.5", "", "0.30", "desk", "SPY")),
)


def test_shares_of_a_cut_leg_and_a_lost_close_have_a_stop() -> None:
    """EX-22, EX-13: the leg had no name when the close was signed, was cut for it, and the close never arrived"""
    played = play(made(5, 510).having(A_LOST_CLOSE))

    assert played.failures == []


def test_a_refused_name_may_be_an_order_later() -> None:
    """EX-04: the broker refused it, an older folder knows nothing of that, and the next order bears its name"""
    entry = Event("an_order_is_typed", ("open", "8", "", "1.00", "broker", "SPY"))
    restored = Event("the_folder_is_restored", (130.0, "bar, fraction", False, ""))
    refused = Event("the_broker_surprises", ("order", "wash trade", 0.0))
    session = session_of(SEED, 0)
    player = Player(replace(session, profile=replace(session.profile, manners=None)))

    for event in (entry, Event("time_passes", (120.0,)), refused, restored, entry):
        player.happen(event)
    played = player.end()

    assert len(player.world.forgotten) == 1
    assert player.world.forgotten.keys() <= player.world.engine.state.ledger.state.orders.keys()
    assert played.failures == []


DECLINED = (
    Event("an_entry_waits_for_its_trigger", ("short", "stop", "0.60", "8", "3.00", "SPY", 0, "0.70")),
    Event("the_market_closes"),
    Event("a_proposal_is_declined", (0,)),
    Event("a_position_grows_old", ("night", 8, "0.3")),
)
TAKEN_BACK = (
    Event("an_order_works_again", ("fraction", "expired", 1.0, "part")),
    Event("the_broker_forgets_an_order", ("stop", True, "cancel", 5.0)),
    Event("an_exit_is_signed", ("open", "0.60", 1000, 0.05)),
    Event("the_line_fails", ("answer", "FetchAccount", "late", 90.0)),
    Event("a_fill_comes_late", ("stop", "expired", 30, 10.0, "")),
)


def test_who_took_a_stop_off_is_not_to_be_told() -> None:
    """EX-22: the auditor finds nothing owed where a person declined the stop, or cancelled it and another has sold"""
    assert play(made(720, 40).having(DECLINED)).failures == []
    assert play(made(720, 14).having(TAKEN_BACK)).failures == []


UNSEEN = (
    Event("the_broker_forgets_an_order", ("entry", False, "part", 5.0)),
    Event("time_passes", (70.0,)),
    Event("the_broker_forgets_an_order", ("stop", False, "fall", 5.0)),
    Event("time_passes", (70.0,)),
    Event("the_broker_forgets_an_order", ("stop", True, "exit", 130.0)),
)


TWO_LOST = (
    Event("the_broker_forgets_an_order", ("entry", True, "exit", 130.0)),
    Event("time_passes", (1.0,)),
    Event("the_broker_forgets_an_order", ("stop", True, "move", 130.0)),
    Event("the_broker_forgets_an_order", ("fraction", False, "fall", 130.0)),
)


def test_no_signed_exit_sells_what_a_lost_stop_may_have() -> None:
    """EX-13, OP-06: the broker lost a stop and refused the next one, and the lost one sold unseen"""
    assert play(made(743, 91).having(UNSEEN)).failures == []


def test_shares_of_two_lost_entries_have_no_stop_by_guess() -> None:
    """EX-13, EX-22: by the ticket of the one, and again when the fill of the other is told, would be too much"""
    assert play(made(745, 37).having(TWO_LOST)).failures == []


BLOCKED_MEANWHILE = (
    Event("the_broker_surprises", ("cancel", "pending", 5.0)),
    Event("an_exit_is_signed", ("open", "-0.60", 30, 0.35)),
    Event("trading_is_blocked", (True, 6.0, 20.0, "exit", True)),
)
UNTOLD_IN_LISTS = (
    Event("a_dip_is_bought", ("-0.30", 2.0, 5)),
    Event("the_desk_is_left", (1, "OrderFilled", 1.0, "fraction", 0.0, False)),
    Event("a_fill_is_corrected", ("exit", "-0.50", "books", False, "part", 3.0)),
    Event("desks_come_and_go", ("link lost", 1, 0.05)),
    Event("terms_are_restated", ("stop", "quantity", "4", False, "part")),
    Event("a_fill_is_taken_back", ("entry", "whole", "activities", True, "fall", 200.0)),
    Event("the_desk_is_left", (0, "", 5.0, "fraction", 1.0, True)),
    Event("the_folder_is_restored", (200.0, "entry", True, "entry")),
)


def test_a_stop_may_be_on_its_way_out_before_a_block() -> None:
    """EX-21, EX-22: its cancel was asked for before the account was blocked, and is done after"""
    assert play(made(101_001, 2_610).having(BLOCKED_MEANWHILE)).failures == []


BLOCKED_AT_THE_CLOSE = (
    Event("a_request_hangs", ("an entry", "it arrives late", 9.0, False, "fraction, bare, part, exit", 3.0)),
    Event("a_request_hangs", ("a stop", "it never arrives", 1.0, False, "exit", 10.0)),
    Event("a_plan_is_played", ("flatten everything", 745_745_797, 70.0, "at once", 2.0, "trouble", "go on")),
    Event("an_update_is_replayed", (1,)),
    Event("maintenance_rises", ("0.80", "1.40", 9, "4", False)),
    Event("desks_come_and_go", ("nobody", 0, 61.0)),
    Event("exits_are_not_taken", ("a stop", "500", 1, 60.0, "fraction, part", 30.0)),
    Event("trading_is_blocked", (True, 65.0, 300.0, "flatten", False)),
)


def test_a_stop_may_end_with_its_session_in_a_block() -> None:
    """EX-21, EX-22: it expires at the close, and makes way for nothing"""
    assert play(made(101_001, 6_455).having(BLOCKED_AT_THE_CLOSE)).failures == []


def test_a_person_takes_over_the_books_that_the_broker_tells() -> None:
    """EX-09: its lists still have a fill that it took back, and so have the books that a person accepts"""
    assert play(made(101_001, 497).having(UNTOLD_IN_LISTS)).failures == []


SENT_AGAIN = (
    Event("an_order_is_typed", ("add", "2.5", "0.05", "3.00", "broker", "SPY")),
    Event("a_folder_of_weeks_ago_is_restored", (9, "another", True, "exit")),
    Event("a_plan_is_played", ("the waiting proposals", 927_054_370, 2.0, "at once", 0.0, "nothing", "nothing")),
)


def test_a_sell_that_went_again_under_a_new_id_is_filled_by_it() -> None:
    """EX-10, EX-24: its first id is of another order at the broker, and the buys of its basket wait for the second"""
    assert play(made(101_001, 5_514).having(SENT_AGAIN)).failures == []


NAMED_WRONGLY = {
    (740, 30): (
        Event("the_books_are_short", ("positions short, positions empty", 3.0, "exit", 75.0)),
        Event("the_operator_confirms", (0, 58.0, 0.35)),
        Event("an_exit_is_signed", ("open", "-0.60", 5, 0.35)),
        Event("terms_change_unheard", ("stop", "stop", "2", False, "part")),
        Event("a_replacement_ends_alone", ("stop", "rejected", "", 10.0)),
        Event("an_order_is_typed", ("open", "3", "-0.60", "3.00", "broker", "BBB")),
        Event("a_half_filled_bracket_is_edited", ("20", 30, "0", "0.05", False, "cancel")),
    ),
    (740, 81): (
        Event("exits_are_not_taken", ("a stop", "too many", 3, 12.0, "entry", 130.0)),
        Event("a_deadline_raises", ("fraction, part", "a cancel", 90.0)),
        Event("the_broker_surprises", ("cancel", "pending", 45.0)),
        Event("a_close_is_confirmed", ("1",)),
        Event("a_stop_does_not_trade", ("calculated", False, "move", 75.0)),
    ),
    (913, 779): (
        Event("terms_are_restated", ("entry", "quantity", "4", True, "move")),
        Event("a_position_grows_old", ("part, week, part, part", 12, "0.5")),
        Event("a_clock_jumps", (-172800.0, 1.0, False, "entry", "0.60")),
        Event("a_fill_comes_late", ("part", "canceled", 20, 75.0, "")),
        Event("the_broker_forgets_an_order", ("stop", False, "kill", 130.0)),
        Event("a_press_is_interrupted", ("cancel", "entry")),
    ),
    (913, 858): (
        Event("terms_are_restated", ("stop", "stop", "2", True, "cancel")),
        Event("an_exit_is_signed", ("open", "0.60", 5, 6.0)),
        Event("the_broker_forgets_an_order", ("stop", False, "exit", 5.0)),
    ),
    (913, 442): (
        Event("a_replacement_ends_alone", ("entry", "expired", "move", 75.0)),
        Event("a_position_grows_old", ("part, week, part, week, part", 8, "0.3")),
        Event("terms_change_unheard", ("stop", "quantity", "-2", True, "")),
        Event("the_broker_forgets_an_order", ("stop", False, "cancel", 130.0)),
        Event("something_between_key_and_figures", (2.0, 0.15, "decline")),
    ),
    (101_001, 3_213): (
        Event("a_cancel_stays_pending", ("move", "night", False, "")),
        Event("the_line_fails", ("request", "SubmitOrder", "lost", 0.3)),
        Event("a_fill_is_taken_back", ("stop", "one", "activities", False, "", 200.0)),
    ),
    (101_001, 5_520): (
        Event("words_are_unknown", ("side", 12, "entry, exit", 3.0)),
        Event("an_order_is_typed", ("open", "0.5", "", "0.30", "desk", "SPY")),
        Event("a_fill_is_taken_back", ("entry", "whole", "books", True, "kill", 30.0)),
    ),
}
"""A stop that a person took back after its replacement was refused; a stop that is called pending_cancel.

A stop that a person took back beside one that was refused, beside one that was lost, and after it was made less. A stop
whose fill the broker took back, after one of an earlier position expired. Shares whose stop the desk holds, after the
broker took back those that it held the stop of.
"""


@pytest.mark.parametrize(("seed", "number"), NAMED_WRONGLY)
def test_a_bare_share_has_its_own_cause(seed: int, number: int) -> None:
    """EX-22: the auditor asks for a notice where a person is needed, and there alone"""
    assert play(made(seed, number).having(NAMED_WRONGLY[seed, number])).failures == []


IN_DOUBT_AT_NIGHT = (
    Event("the_folder_is_restored", (3600.0, "entry", True, "")),
    Event("a_deadline_raises", ("entry, cancel", "an exit", 30.0)),
    Event("a_fill_is_corrected", ("exit", "-0.02", "activities", False, "", 90.0)),
    Event("shares_are_renamed", (1, 1, "survive", True, True, "exit")),
    Event("a_clock_jumps", (16200.0, 1.0, True, "kill", "")),
)


def test_no_day_begins_while_the_clock_is_in_doubt() -> None:
    """EX-23: a kill asks for the books before the day's first figures, and the clock has jumped"""
    assert play(made(110_001, 764).having(IN_DOUBT_AT_NIGHT)).failures == []


WITHOUT_LEGS = (
    Event("an_exit_is_signed", ("open", "2.00", 60, 6.0)),
    Event("a_plan_is_played", ("a file", 673_847_110, 0.5, "at once", 0.6, "die soon", "go on")),
    Event("an_entry_is_edited", (2, "1", "0.30", 0.5)),
    Event("an_order_is_cancelled", (3,)),
)


def test_bare_seconds_are_counted_to_the_microsecond() -> None:
    """EX-22: shares whose legs the broker dropped are bare for the two seconds that are allowed, seen in many parts"""
    assert play(made(110_001, 1_001).having(WITHOUT_LEGS)).failures == []


ANNOUNCED_AT_THE_OPEN = (
    Event("shares_are_split", (1, 4, "survive", True, False, "exit")),
    Event("a_plan_is_played", ("the waiting proposals", 791_171_068, 2.0, "late", 0.6, "bar", "nothing")),
    Event("a_plan_is_played", ("a file", 196_460_369, 0.0, "twice", 0.12, "die", "go on")),
    Event("sessions_are_announced", ("closed", 20, "start", False, "ticket", "")),
)


def test_a_day_that_is_closed_shortly_before_its_open_ends_soon() -> None:
    """MD-10: at an open the broker's clock is not judged, and what has begun by then is closed after it"""
    assert play(made(110_001, 2_137).having(ANNOUNCED_AT_THE_OPEN)).failures == []


ADJUSTED_BY_THE_BROKER = (
    Event("shares_are_split", (3, 2, "adjusted", True, True, "")),
    Event("desks_come_and_go", ("nobody", 1, 61.0)),
    Event("a_position_grows_old", ("night, part, week, part", 8, "0.3")),
    Event("a_bracket_is_traded", ("short", "3", True, "target, stop", 60, 61.0)),
)


def test_a_stop_that_the_broker_adjusted_to_a_split_sells_the_shares_of_today() -> None:
    """EX-25: it stays, and trades at the adjusted price"""
    assert play(made(110_001, 2_195).having(ADJUSTED_BY_THE_BROKER)).failures == []


CAME_AND_CHANGED = (
    Event("an_order_is_typed", ("short", "1", "", "0.30", "broker", "BBB")),
    Event("a_folder_of_weeks_ago_is_restored", (9, "entry", False, "exit")),
    Event("rows_are_odd", ("sides", 1, 1, "cancel", 75.0)),
)


def test_a_difference_that_waits_for_a_person_waits_on_beside_an_odd_row() -> None:
    """EX-25, EX-09: shares of one symbol are gone, others came with them, and one list shows these as short"""
    assert play(made(110_001, 4_099).having(CAME_AND_CHANGED)).failures == []


CORRECTED_BEFORE_WEEKS = (
    Event("sessions_are_announced", ("early", 12, "start", True, "entry", "-0.40")),
    Event("an_entry_waits_for_its_trigger", ("add", "trailing_stop", "0.05", "3", "3.00", "SPY", 90, "0.70")),
    Event("a_fill_is_corrected", ("stop", "-0.02", "books", False, "exit", 90.0)),
    Event("a_folder_of_weeks_ago_is_restored", (9, "fraction", False, "exit")),
)


def test_an_older_folder_keeps_a_price_that_no_list_names_any_more() -> None:
    """EX-05, EX-24: the broker corrected it after the close, and lists no order of weeks ago"""
    assert play(made(110_001, 3_618).having(CORRECTED_BEFORE_WEEKS)).failures == []


LISTED_LATER = (
    Event("a_deadline_raises", ("entry, part", "an entry", 5.0)),
    Event("a_stop_does_not_trade", ("suspended", False, "cancel", 3.0)),
    Event("maintenance_rises", ("0.95", "1.05", 3, "4", False)),
    Event("a_plan_is_played", ("a file", 46420835, 0.0, "at once", 0.05, "close", "go on")),
    Event(
        "an_action_is_announced",
        ("cash", 1, 1, "61.30", "survive", "true", "evening", -1, "open", "8", True, True, False, 0.0, ""),
    ),
    Event("an_order_is_typed", ("short", "1", "0.50", "1.00", "you", "SPY")),
    Event("the_operator_confirms", (0, 2.0, 0.35)),
    Event("a_half_filled_bracket_is_edited", ("8", 60, "-2", "0.05", True, "")),
    Event(
        "an_action_is_announced",
        ("merger", 1, 2, "0", "survive", "true", "late", 0, "short", "12", True, False, False, 70.0, ""),
    ),
    Event("the_broker_surprises", ("order", "not tradable", 0.0)),
    Event("an_agent_drafts", ("drafts", "close", "3", "0.10", "", "AAA", "adopts", True)),
    Event("a_fill_comes_late", ("stop", "canceled", 20, 0.5, "")),
    Event("an_agent_drafts", ("changes it", "open", "", "", "-1.50", "SPY", "adopts", True)),
    Event("a_plan_is_played", ("a file", 888216634, 0.5, "late", 2.0, "kill", "go on")),
)


def test_shares_that_are_listed_later_are_not_counted_twice() -> None:
    """EX-25, EX-22: a short under another symbol is covered, and eight are bought and sold in part beside a kill"""
    assert play(made(190_001, 1_094).having(LISTED_LATER)).failures == []
