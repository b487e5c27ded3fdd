"""What another settings file would change, and which way is looser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import time
from decimal import Decimal
from itertools import islice
from typing import Any

import pytest
from pydantic import ValidationError
from syrupy.assertion import SnapshotAssertion

from core.settings.changes import (
    ChangeKind,
    agent_changes,
    changes_between,
    digest_of,
    in_words,
    with_changes,
    without_looser,
)
from core.settings.changes import leaves as every_leaf
from core.settings.directions import LOOSER, looser_of
from core.settings.settings import PROFILES, Settings
from core.settings.types import WHOLE, Direction
from tests.kit.rows import table


def a_file(**tables: Any) -> Settings:
    return Settings.model_validate(tables)


def a_setting(name: str, value: object) -> Settings:
    table: Any = value
    for key in reversed(name.split(".")):
        table = {key: table}
    return a_file(**table)


def a_limit(name: str, value: object) -> Settings:
    return a_setting(f"risk.{name}", value)


def leaves(table: Any, path: tuple[str, ...] = ()) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in table.items():
        if isinstance(value, dict) and set(value) != {"usd", "of_equity"}:
            found |= leaves(value, (*path, key))
        else:
            found[".".join((*path, key))] = value
    return found


ONE_VALUE: frozenset[str] = frozenset()
"""Settings for which the walk has no other value."""
EVERY = leaves(Settings().model_dump(context=WHOLE))


def test_every_setting_has_a_direction_or_says_why_not() -> None:
    """RK-13: a new key must say which way it is looser, or that no way is."""
    keys = [*EVERY, "agents.claude.enabled"]  # by default no agent has a table
    reasons = {looser_of(tuple(key.split("."))).why_none for key in keys}

    assert reasons == {looser.why_none for looser in LOOSER.values()}


WORDS = ("cancel", "allow", "include_extended", "within", "current", "global", "desk", "always")


def other_values(key: str) -> list[object]:
    """Some values of its kind that differ from the default."""
    match EVERY[key]:
        case bool() as flag:
            return [not flag]
        case int() | Decimal() as number:
            return [number * 2 or 1, number / 2, 0, number + 1, 1]
        case time() as clock:
            return [clock.replace(minute=(clock.minute + 10) % 60)]
        case tuple() | list():
            return [["sma"], ["0.4"], ["10:00-11:30"], []]
        case {"usd": _}:
            return [{"usd": "3"}, {"usd": "300"}]
        case None:
            return ["0.2"]
    return list(WORDS)


def others_of(key: str) -> Iterator[Settings]:
    """Those of them that the settings take."""
    for value in other_values(key):
        with suppress(ValidationError):
            yield a_setting(key, value)


def test_no_start_takes_a_looser_value_of_any_setting() -> None:
    """RK-13: each key with a direction, from its default and back; one without is taken over."""
    default, walked = Settings(), set()
    for key in EVERY:
        tried = ((other, changes_between(default, other)) for other in others_of(key))
        for other, changes in islice((each for each in tried if each[1]), 1):
            walked.add(key)
            kinds = {change.kind for change in changes}
            back = {change.kind for change in changes_between(other, default)}
            started = without_looser(default, other)
            if looser_of(tuple(key.split("."))).direction is Direction.NONE:
                assert (kinds, started) == ({ChangeKind.RESTART}, other), key
            else:
                assert ChangeKind.RESTART not in kinds | back, key
                assert ChangeKind.LOOSER in kinds | back, key
                assert started == (default if ChangeKind.LOOSER in kinds else other), key

    with_direction = {key for key in EVERY if looser_of(tuple(key.split("."))).direction is not Direction.NONE}
    assert with_direction - walked <= ONE_VALUE


@table(
    "name value kind",
    ("max_open_positions", 2, ChangeKind.LOOSER),
    ("entries_a_day", 0, ChangeKind.TIGHTER),
    ("daily_loss", {"usd": "5"}, ChangeKind.TIGHTER),
    ("daily_loss", {"usd": "20"}, ChangeKind.LOOSER),
    ("daily_loss", {"of_equity": "0.001"}, ChangeKind.LOOSER),
    ("window_start", "09:45", ChangeKind.LOOSER),
    ("window_start", "10:15", ChangeKind.TIGHTER),
    ("window_end", "11:45", ChangeKind.LOOSER),
    ("on_missing_equity", "allow", ChangeKind.LOOSER),
    ("margin.refuse_at", "0.1", ChangeKind.TIGHTER),
    ("margin.warn_at", ["0.5"], ChangeKind.LOOSER),
    ("portfolio.reserve", "20", ChangeKind.TIGHTER),
    ("protections.cooldown.enabled", False, ChangeKind.LOOSER),
    ("protections.day_trades.enabled", True, ChangeKind.TIGHTER),
    ("protections.max_drawdown.limit", "0.1", ChangeKind.TIGHTER),
    ("protections.max_drawdown.method", "within", ChangeKind.LOOSER),
    ("protections.low_profit.lookback_minutes", 2880, ChangeKind.LOOSER),
    ("session.policy", "include_extended", ChangeKind.LOOSER),
    ("sizing.raise_to_minimum", True, ChangeKind.LOOSER),
    ("min_notional", "2", ChangeKind.LOOSER),
)
def test_a_change_is_tighter_or_looser(name: str, value: object, kind: ChangeKind) -> None:
    """RK-13: another unit needs an equity, another method needs a person."""
    (change,) = changes_between(Settings(), a_limit(name, value))

    assert (change.key, change.kind) == (f"risk.{name}", kind)


@table(
    "name looser tighter",
    ("execution.breaker_failures", 90, 2),
    ("execution.breaker_openings", 9, 1),
    ("execution.breaker_seconds", "1", "600"),
    ("execution.breaker_slow_seconds", "60", "2"),
    ("execution.breaker_slow_times", 9, 1),
    ("execution.max_queued", 900, 2),
    ("execution.warning_seconds", "600", "5"),
    ("attendance.entries", "keep", "cancel"),
    ("attendance.cancel_minutes", "600", "5"),
    ("attendance.dead_man_hours", "8", "2"),
    ("attendance.dead_man_hours", "0", "720"),
    ("staging.ticket_seconds", "90", "20"),
    ("staging.signal_seconds", "180", "30"),
    ("staging.manual_seconds", "900", "60"),
    ("staging.approval_seconds", "9", "2"),
    ("staging.move_of_stop", "0.5", "0.1"),
    ("staging.move", "0.02", "0.001"),
    ("confirm.silent_seconds", "20", "4"),
    ("orders.ttl_seconds", "600", "60"),
    ("orders.ttl_seconds", "0", "3600"),
    ("reconciliation.max_missing", 9, 0),
    ("reconciliation.max_drift", "0.2", "0.01"),
    ("reconciliation.split_tolerance", "0.05", "0.001"),
    ("reconciliation.max_unanswered", 9, 1),
    ("reconciliation.every_seconds", "0", "30"),
    ("execution.not_found_times", 1, 9),
    ("execution.not_found_seconds", "1", "90"),
    ("staging.review_seconds", "60", "1"),
    ("staging.basket.run_seconds", "9000", "60"),
    ("exits.enabled", False, True),
    ("exits.stop", "0", "0.02"),
    ("exits.max_days", 0, 5),
    ("exits.flat_minutes", 0, 10),
    ("evaluation.enabled", False, True),
    ("strategies.vwap.stop_holder", "desk", "broker"),
    ("strategies.sma.holds_overnight", True, False),
    ("strategies.sma.requires_recommendation", False, True),
    ("strategies.vwap.position_part", "0.5", "0.2"),
    ("strategies.vwap.stop_fraction", "0.05", "0.003"),
    ("strategies.slow_milliseconds", "900", "20"),
    ("strategies.mean_reversion.max_hold_hours", "48", "2"),
    ("strategies.dips.position_part", "0.5", "0.2"),
    ("strategies.dips.flat_minutes", 0, 5),
    ("strategies.dips.holds_overnight", True, False),
)
def test_limits_beside_risk_have_a_direction(name: str, looser: object, tighter: object) -> None:
    """RK-13: no start lets the looser one in, and each start takes the tighter one"""
    file = {value: a_setting(name, value) for value in (looser, tighter)}

    def kinds(before: Settings, after: Settings) -> list[ChangeKind]:
        return [change.kind for change in changes_between(before, after)]

    assert kinds(file[tighter], file[looser]) == [ChangeKind.LOOSER]
    assert kinds(file[looser], file[tighter]) == [ChangeKind.TIGHTER]
    assert without_looser(file[tighter], file[looser]) == file[tighter]
    assert without_looser(file[looser], file[tighter]) == file[tighter]


def test_a_new_strategy_holds_nothing_overnight_alone() -> None:
    """RK-13, ST-09: one that was taken out of the file and comes back too; what it reads itself is taken over"""
    file = a_setting("strategies.dips", {"enabled": True, "holds_overnight": True, "position_part": "0.2", "falls": 3})

    found = without_looser(Settings(), file).strategies.of("dips")

    assert found.holds_overnight is False
    assert (found.enabled, found.position_part) == (True, Decimal("0.2"))
    assert found.terms == {"falls": 3}  # type: ignore[union-attr]


def test_a_word_loosens_an_own_strategy_alone() -> None:
    """RK-13: the rest of its table stays"""
    old = a_setting("strategies.dips", {"enabled": True, "falls": 3})
    new = a_setting("strategies.dips", {"enabled": True, "falls": 4, "holds_overnight": True})
    looser = [change for change in changes_between(old, new) if change.kind is ChangeKind.LOOSER]

    assert with_changes(old, new, looser) == a_setting(
        "strategies.dips", {"enabled": True, "falls": 3, "holds_overnight": True}
    )


def test_looser_limits_wait_alone() -> None:
    """RK-13"""
    file = a_file(
        execution={"breaker_failures": 90, "max_queued": 2, "answer_seconds": 9},
        risk={"window_start": "12:00", "window_end": "15:00"},
    )

    found = without_looser(Settings(), file)

    assert (found.execution.breaker_failures, found.execution.max_queued) == (5, 2)
    assert found.execution.answer_seconds == 9
    assert found.risk == Settings().risk


def test_tighter_limits_hold_without_one_that_does_not_fit() -> None:
    """RK-13: from swing to micro, whose largest order is less than the smallest that a looser value allows"""
    held, file = (a_file(profile=name, **PROFILES[name]) for name in ("swing", "micro"))

    found = without_looser(held, file, Decimal(100_000)).risk

    assert (found.daily_loss.usd, found.per_trade.usd, found.max_open_positions) == (Decimal(10), Decimal("1.50"), 1)
    assert (found.window_start, found.window_end) == (time(10), time(11, 30))
    assert (found.min_notional, found.max_notional) == (held.risk.min_notional, held.risk.max_notional)


def test_a_change_says_old_and_new(snapshot: SnapshotAssertion) -> None:
    """RK-13"""
    new = a_file(risk={"daily_loss": {"of_equity": "0.02"}, "window_end": "11:00"}, symbols=["SPY", "IBM"])

    assert [(change.words, change.kind) for change in changes_between(Settings(), new)] == snapshot


def test_display_settings_are_no_difference() -> None:
    """RK-13: a theme shuts no entry."""
    new = a_file(display={"theme": "light"}, keys={"order.new": "N"})

    assert changes_between(Settings(), new) == ()


@table("name", *PROFILES)
def test_all_changes_make_the_file(name: str) -> None:
    """RK-13"""
    old, new = Settings(), a_file(profile=name, **PROFILES[name])
    changes = changes_between(old, new)

    assert with_changes(old, new, changes) == new
    assert with_changes(old, new, ()) == old


def test_a_part_of_the_changes_takes_these_alone() -> None:
    """RK-13"""
    old = Settings()
    new = a_file(risk={"daily_loss": {"usd": "5"}, "weekly_loss": {"usd": "50"}})
    tighter = [change for change in changes_between(old, new) if change.kind is ChangeKind.TIGHTER]

    risk = with_changes(old, new, tighter).risk
    assert (risk.daily_loss.usd, risk.weekly_loss.usd) == (Decimal(5), Decimal(25))


def test_a_new_strategy_is_enabled_by_its_changes(snapshot: SnapshotAssertion) -> None:
    """RK-13, ST-05: one of them alone too, and back again."""
    old, new = Settings(), Settings.model_validate({"strategies": {"sma": {"enabled": True, "pairs": [[20, 50]]}}})
    changes = changes_between(old, new)

    assert [change.words for change in changes] == snapshot
    assert with_changes(old, new, changes) == new
    assert with_changes(old, new, changes[1:]).strategies.sma.pairs == ((20, 50),)
    assert with_changes(new, old, changes_between(new, old)) == old


def test_a_change_that_cannot_stand_alone_is_an_error() -> None:
    """RK-13: a window that begins later ends before it, while its later end waits for the word."""
    old, new = Settings(), a_file(risk={"window_start": "12:00", "window_end": "13:00"})
    tighter = [change for change in changes_between(old, new) if change.kind is ChangeKind.TIGHTER]

    with pytest.raises(ValueError, match=r"window_start is after risk\.window_end"):
        with_changes(old, new, tighter)


def test_the_digest_is_of_what_the_file_says() -> None:
    """RK-13"""
    assert digest_of(Settings()) == digest_of(Settings.model_validate({}))
    assert digest_of(Settings()) != digest_of(a_limit("entries_a_day", 2))


@table(
    "equity usd kind",
    ("100000", "1", ChangeKind.TIGHTER),
    ("100000", "2001", ChangeKind.LOOSER),
    ("100000", "2000", ChangeKind.LOOSER),
    (None, "1", ChangeKind.LOOSER),
)
def test_amounts_compare_at_the_opening_equity(equity: str | None, usd: str, kind: ChangeKind) -> None:
    """RK-13: of an equity that is not known yet nobody can say which is more."""
    old, new = a_limit("daily_loss", {"of_equity": "0.02"}), a_limit("daily_loss", {"usd": usd})

    (change,) = changes_between(old, new, None if equity is None else Decimal(equity))

    assert change.kind is kind


def test_own_strategy_tables_compare_by_key(snapshot: SnapshotAssertion) -> None:
    """RK-13, ST-08: as the file has it, also where one of the two has no such table."""
    before = Settings.model_validate({"strategies": {"dips": {"enabled": True, "falls": 3}}})
    after = Settings.model_validate({"strategies": {"dips": {"enabled": True, "falls": 4, "allocation": "0.2"}}})

    assert [change.words for change in changes_between(before, after)] == snapshot
    assert {change.kind for change in changes_between(before, after)} == {ChangeKind.RESTART}
    assert [change.words for change in changes_between(Settings(), before)] == snapshot


OF_PYTHON = re.compile(r"[{}<>='\"]|Decimal|Settings|None|True|False")
TABLES: dict[str, dict[str, Any]] = {
    "agents": {"agents": {"claude": {"symbols": ["SPY", "IBM"], "most_value": "900"}, "shy": {"hides_amounts": True}}},
    "own": {"strategies": {"own": {"mine": {"symbols": ["SPY"], "terms": {"band": {"low": "0.1", "days": [1, 2]}}}}}},
    "sectors": {"risk": {"sectors": {"SPY": "index funds"}}},
    "amounts": {"risk": {"daily_loss": {"of_equity": "0.01"}, "max_notional": {"usd": "900"}}},
    "lists": {"symbols": ["IBM", "SPY"]},
    "times": {"risk": {"window_start": "10:00", "window_end": "11:00"}},
}


@pytest.mark.parametrize("name", TABLES)
def test_a_changed_table_is_told_in_words(name: str) -> None:
    """RK-13, OP-09: neither a table nor a list is shown as Python writes it"""
    file = a_file(**TABLES[name])
    found = [
        *(change.words for pair in ((Settings(), file), (file, Settings())) for change in changes_between(*pair)),
        *agent_changes(Settings(), file),
        *agent_changes(file, Settings()),
    ]

    assert found
    assert [words for words in found if OF_PYTHON.search(words)] == []


def test_every_default_is_told_in_words() -> None:
    """RK-13: the text of any setting"""
    told = {".".join(path): in_words(value) for path, value in every_leaf(Settings())}
    tables = {key: in_words(getattr(Settings(), key)) for key in Settings.model_fields}

    assert {key: words for key, words in {**told, **tables}.items() if OF_PYTHON.search(words)} == {}
