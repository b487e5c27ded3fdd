"""Each night the theses are checked: what is refuted is recorded once, told, and its pause proposed (AN-07)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import Decline, RefuseSymbol, ReinstateStrategy
from core.messages.desk_commands import DecidePause, ThesesFileSeen
from core.model.notice import NoticeKind, Severity
from core.model.signal import RESUME, SuspensionCause
from core.model.thesis import Status, Thesis, TradeKind
from core.risk.theses import criterion_of
from core.settings.settings import Settings
from state.housekeeping import FileWatch, theses_seen
from state.past_days import paper_verdicts
from tests.scenarios.house import assert_can_be_rebuilt
from tests.scenarios.test_strategy_evaluation import Months, opened, settings_with
from tests.unit.core.brokers.trading_floor import NEW_YORK, SPY

SAYS = "What fell too far comes back"
REFUTED = "win rate < 50 % over 3 trades"
"""By LWL, and not by WLW."""


def a_thesis(name: str = "dips", strategy: str = "vwap", says: str = SAYS, since: date | None = None) -> Thesis:
    return Thesis(name, says, strategy, (criterion_of(REFUTED, name),), since)


def seen(house: Months, *theses: Thesis) -> Months:
    """The keeper of the files has read them."""
    house.presses(ThesesFileSeen(theses or (a_thesis(),)))
    return house


def lived(course: str, *theses: Thesis, settings: Settings | None = None) -> Months:
    return seen(opened(course, settings), *theses).lives()


def night(house: Months) -> list[tuple[str, TradeKind, Status]]:
    return [(each.thesis.name, each.kind, each.status) for each in house.last(facts.ThesesChecked).verdicts]


def lines(house: Months) -> Sequence[tuple[str, str]]:
    return [line for line in house.row().evaluation if line[0] in ("thesis", "invalidated")]


def test_a_refuted_thesis_proposes_a_pause_once(snapshot: SnapshotAssertion) -> None:
    """AN-07: with its evidence, on the night of the trade that met the criterion; better trades do not heal it"""
    house = lived("WLLWWW")

    assert [fact.day for fact in house.facts(facts.ThesesChecked)] == house.days
    statuses = [fact.verdicts[0].status for fact in house.facts(facts.ThesesChecked)]
    assert statuses == [Status.PENDING] * 2 + [Status.INVALIDATED] * 4
    (found,) = house.facts(facts.ThesisInvalidated)
    evidence = found.evidence
    assert (found.thesis, found.kind, found.earlier) == (a_thesis(), TradeKind.CLOSED, "")
    assert (evidence.criterion.in_words, evidence.value, evidence.count) == (REFUTED, Decimal("33.3333"), 3)
    assert (evidence.first, evidence.last) == (house.days[0], house.days[2])
    assert not house.facts(facts.StrategySuspended), "nothing is paused without an answer"
    assert len(house.facts(facts.TradeClosed)) == 6
    assert (house.row().proposed_pause, lines(house)) == snapshot
    assert_can_be_rebuilt(house)


def test_a_confirmed_pause_ends_by_the_typed_word_alone(snapshot: SnapshotAssertion) -> None:
    """AN-07: not by another word, another name, no file at all, or a restart; then it begins anew"""
    house = seen(opened("LLLWWWLLL"))
    house.lives(3)
    house.presses(DecidePause("vwap", is_adopted=True))
    (shut,) = house.facts(facts.StrategySuspended)
    assert (shut.strategy, shut.cause, shut.until) == ("vwap", SuspensionCause.THESIS, None)

    for word in ("", "resume", "LOOSEN"):
        house.presses(ReinstateStrategy("vwap", word))
    seen(house.restarted(), a_thesis("news", says="Something else", since=house.days[3])).lives(4)  # type: ignore[arg-type]
    assert len(house.facts(facts.ReinstatementRefused)) == 3
    assert (len(house.facts(facts.ProposalStaged)), house.row().needs_word) == (3, True)
    assert (shut.reason, house.row().shut, lines(house)) == snapshot

    house.presses(ReinstateStrategy("vwap", RESUME))
    seen(house).lives()
    assert [fact.cause for fact in house.facts(facts.StrategyReinstated)] == [SuspensionCause.THESIS]
    again = house.facts(facts.ThesisInvalidated)[-1].evidence
    assert (len(house.facts(facts.ThesisInvalidated)), again.first, again.last) == (2, house.days[5], house.days[7])
    assert_can_be_rebuilt(house)


def test_a_declined_pause_is_not_proposed_again() -> None:
    """AN-07: a later `since` begins anew, and what is refuted then is another invalidation"""
    house = seen(opened("LLLWWLLLL"))
    house.lives(3)
    house.presses(DecidePause("vwap", is_adopted=False))
    house.presses(DecidePause("vwap", is_adopted=True))
    house.lives(5)
    assert len(house.facts(facts.ThesisPauseDeclined)) == len(house.facts(facts.ThesisInvalidated)) == 1
    assert not house.facts(facts.StrategySuspended)
    assert (night(house)[0][2], house.row().proposed_pause) == (Status.INVALIDATED, "")

    seen(house, a_thesis(since=house.days[4])).lives(6)
    assert (night(house)[0][2], [label for label, _ in lines(house)]) == (Status.PENDING, ["thesis"])
    house.lives()
    assert [fact.evidence.last for fact in house.facts(facts.ThesisInvalidated)] == [house.days[2], house.days[6]]
    assert_can_be_rebuilt(house)


def test_a_restart_and_a_crash_tell_nothing_twice() -> None:
    """AN-07, SP-03: the journal is cut before the night, in it and after it"""
    house = lived("LLL")
    told = next(r.sequence for r in house.journal.records() if isinstance(r.fact, facts.ThesisInvalidated))
    for cut in (told - 1, told, told + 1):
        house.loses_the_journal_after(cut)
        seen(house.restarted())  # type: ignore[arg-type]
        house.until_moment(house.line.at + timedelta(minutes=1))
        seen(house.restarted())  # type: ignore[arg-type]
        house.until_moment(house.line.at + timedelta(minutes=1))

        assert len(house.facts(facts.ThesisInvalidated)) == 1
        assert house.last(facts.ThesesChecked).day == house.days[2]
        assert house.row().proposed_pause
        assert_can_be_rebuilt(house)


@pytest.mark.parametrize("clock", [7, 10], ids=["before the open", "after it"])
def test_a_missed_night_is_made_up_by_its_trades(clock: int) -> None:
    """AN-07: once, as soon as the file was read"""
    house = seen(opened("LLLW"))
    house.lives(2)
    house.trades(house.days[2])
    house.line.at = datetime(2026, 10, 8, clock, tzinfo=NEW_YORK)
    house.restarted()
    house.until_moment(house.line.at + timedelta(minutes=1))
    assert len(house.facts(facts.ThesesChecked)) == 2, "no file was read yet"

    seen(house)
    house.until_moment(house.line.at + timedelta(minutes=1))

    assert [fact.day for fact in house.facts(facts.ThesesChecked)] == house.days[:3]
    assert house.last(facts.ThesisInvalidated).evidence.last == house.days[2]


def test_paper_trades_are_judged_by_themselves(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """AN-07, OP-12: entries that were not taken refute it, whatever those that were taken say; so does the command"""
    house = seen(opened("LLLWWW"))
    for day in house.days:
        house.until("10:06", day)
        if house.course[day] == "L":
            house.presses(Decline(house.proposal.id, ""))
            house.presses(RefuseSymbol(SPY, "not today"))
        house.trades(day)
        house.until("17:00", day)

    (found,) = house.facts(facts.ThesisInvalidated)
    assert (found.kind, found.evidence.count, found.evidence.last) == (TradeKind.PAPER, 3, house.days[2])
    assert night(house) == [
        ("dips", TradeKind.CLOSED, Status.ACTIVE),
        ("dips", TradeKind.PAPER, Status.INVALIDATED),
    ]
    (tmp_path / f"{house.days[-1]}.jsonl").write_bytes(b"".join(house.journal.lines))
    assert paper_verdicts(tmp_path, [a_thesis()]) == [house.last(facts.ThesesChecked).verdicts[1]]
    assert paper_verdicts(tmp_path, [a_thesis(says="Something else")]) == []
    assert lines(house) == snapshot
    assert_can_be_rebuilt(house)


def test_the_same_sentence_returns_under_no_other_name(snapshot: SnapshotAssertion) -> None:
    """AN-07: for another strategy or under another name it is refuted as well, until the word for that strategy"""
    house = seen(opened("LLLWW"), a_thesis(), a_thesis("luck", "momentum", "what FELL  too far comes back"))
    house.lives(3)
    assert [(fact.thesis.name, fact.earlier) for fact in house.facts(facts.ThesisInvalidated)] == [
        ("dips", ""),
        ("luck", "dips (vwap)"),
    ]
    assert house.facts(facts.ThesisInvalidated)[1].evidence == house.facts(facts.ThesisInvalidated)[0].evidence

    house.presses(DecidePause("momentum", is_adopted=True))
    house.presses(ReinstateStrategy("momentum", RESUME))
    seen(house, a_thesis("luck", "momentum"), a_thesis("renamed")).lives(4)
    assert len(house.facts(facts.ThesisInvalidated)) == 3
    assert night(house) == [
        ("luck", TradeKind.CLOSED, Status.PENDING),
        ("renamed", TradeKind.CLOSED, Status.INVALIDATED),
    ]
    assert lines(house) == snapshot
    assert_can_be_rebuilt(house)


def test_a_notice_goes_out_until_it_is_answered() -> None:
    """AN-07, SY-03"""
    values: dict[str, Any] = settings_with().model_dump()
    values["notify"] = {"channels": {"phone": {}}, "rules": {"all": {"channels": ["phone"]}}}
    house = lived("LLLW", settings=Settings.model_validate(values))

    told = [fact for fact in house.facts(facts.NotificationDue) if fact.matter == "thesis vwap"]
    assert [(fact.notice.kind, fact.notice.severity) for fact in told] == [(NoticeKind.PROTECTION, Severity.WARNING)]
    seen(house.restarted())  # type: ignore[arg-type]
    house.presses(DecidePause("vwap", is_adopted=True))
    assert [fact.matter for fact in house.facts(facts.NotificationSettled)].count("thesis vwap") == 1
    assert len([fact for fact in house.facts(facts.NotificationDue) if fact.matter == "thesis vwap"]) == 1


def test_without_the_file_nothing_is_recorded() -> None:
    """AN-07: nor by a file without a thesis"""
    house = opened("LLL").lives()
    plain = house.told()
    empty = opened("LLL")
    empty.presses(ThesesFileSeen(()))

    assert empty.lives().told() == plain
    assert "ThesesChecked" not in plain
    assert lines(house) == []


def test_a_malformed_file_names_its_place_and_changes_nothing(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """AN-07: the last valid theses stay; without any nothing is checked"""
    path, clock = tmp_path / "theses.toml", [0.0]
    watch = FileWatch(path, theses_seen, lambda: clock[0])
    good = f'[dips]\nsays = "{SAYS}"\nstrategy = "vwap"\ninvalid_if = ["{REFUTED}"]\n'
    found, faults = [], []
    for text in (
        None,
        good.replace("vwap", "dice"),
        good.replace("3 trades", "3"),
        "[dips",
        good,
        good + "x = 1",
        None,
    ):
        path.unlink(missing_ok=True) if text is None else path.write_text(text)
        for _ in range(3):
            clock[0] += 1
            found.append(watch.look(Settings()))
            faults.append(watch.fault)

    assert [each.theses for each in found if each is not None] == [(a_thesis(),), ()]
    assert [each for each in faults if each] == snapshot
