"""Settings out of a journal are read as what they were, whatever today's rules say of them (SP-07)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from syrupy.assertion import SnapshotAssertion

from core.risk.trading_status import TradingStatusState
from core.settings import history
from core.settings.changes import changes_between, with_changes, without_looser
from core.settings.history import as_they_were, defaulted, each, put_down, read, renamed, restated, taken_up, written
from core.settings.settings import PROFILES, Settings
from core.settings.strategies import UserStrategySettings
from core.settings.types import WHOLE, AmountSettings
from tests.kit.rows import table
from tests.kit.texts import texts

KEPT = Path(__file__).resolve().parents[2] / "journals" / "kept"


OF_DIPS = {"enabled": False, "symbols": [], "flat_minutes": 5, "holds_overnight": False, "terms": {"falls": 3}}


def as_json(settings: Settings) -> dict[str, Any]:
    """What a record of them holds."""
    found: dict[str, Any] = json.loads(json.dumps(settings.model_dump(mode="json")))
    return found


def put(values: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """The same settings with one key otherwise; a dotted one, its tables made where they are not there."""
    changed = deepcopy(values)
    table = changed
    for part in key.split(".")[:-1]:
        table = table.setdefault(part, {})
    table[key.rsplit(".", maxsplit=1)[-1]] = value
    return changed


def at(settings: Settings, key: str) -> object:
    found: Any = settings
    for part in key.split("."):
        found = found[part] if isinstance(found, Mapping) else getattr(found, part)
    return found


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The settings are of a later version, which these steps lead to."""

    def now(*steps: history.Upgrade) -> None:
        monkeypatch.setattr(history, "VERSION", len(steps) + 1)
        monkeypatch.setattr(history, "EARLIER", dict(enumerate(steps, 1)))

    return now


# ── what is as ever ──────────────────────────────────────────────────────────────────────────────────────────────────


@table("profile", *PROFILES)
def test_todays_settings_are_read_unchanged(profile: str) -> None:
    """SP-07, SP-03"""
    settings = Settings.model_validate({"profile": profile, **PROFILES[profile]})

    found = read(as_json(settings), 1)

    assert found == settings
    assert found.odd.words == ()
    assert written(found, "json") == as_json(settings)


@table("version", *range(1, history.VERSION + 1))
def test_a_missing_key_has_its_versions_default(version: int) -> None:
    """SP-07: it is as if the record said it. Where a default is changed, the version grows, and `EARLIER` says what it
    was; the defaults of each version are kept in `tests/journals/kept/`.
    """
    said = json.loads((KEPT / f"settings-{version}.json").read_text())

    stated, lacking = read(said, version), read({}, version)

    assert list(differing(whole(stated), whole(lacking))) == []


def whole(settings: Settings) -> Any:
    return json.loads(json.dumps(settings.model_dump(mode="json", context=WHOLE, warnings=False)))


def differing(stated: object, lacking: object, path: str = "") -> Iterator[str]:
    """The keys whose default is another than was stated."""
    if isinstance(stated, Mapping) and isinstance(lacking, Mapping):
        for key, value in stated.items():
            yield from differing(value, lacking.get(key), f"{path}.{key}".strip("."))
    elif stated != lacking:
        yield f"{path} was {stated} and is {lacking}"


def test_settings_before_baskets_are_read() -> None:
    """SP-07: the table and the keys of the first version; today's names are read as they are."""
    first = {"staging": {"plan": {"life_seconds": "90"}}, "keys": {"plan": "B", "plan.sign": "Q", "new": "N"}}
    today = {"staging": {"basket": {"life_seconds": "90"}}, "keys": {"basket": "B", "basket.sign": "Q", "new": "N"}}

    found = read(first, 1)

    assert found == read(today, 2)
    assert found.staging.basket.life_seconds == 90
    assert found.odd.words == ()


# ── what today's rules would not take ────────────────────────────────────────────────────────────────────────────────


@table(
    "key raw value words",
    ("risk.entries_a_day", 20_000, 20_000, "risk.entries_a_day = 20000: must be less than or equal to 10000"),
    ("risk.spread_limit", "2.50", Decimal("2.50"), "risk.spread_limit = 2.50: must be less than or equal to 1"),
    (
        "risk.daily_loss",
        {"usd": "-3", "of_equity": None},
        AmountSettings.model_construct(usd=Decimal(-3), of_equity=None),
        "risk.daily_loss.usd = -3: must be greater than 0",
    ),
    ("alpaca.feed", "boats", "boats", "alpaca.feed = boats: must be 'iex' or 'sip'"),
    (
        "alpaca.data_url",
        "http://example.com",
        "http://example.com",
        "alpaca.data_url = http://example.com: https or wss; plain http and ws only on this machine "
        "(127.0.0.1, localhost, [::1])",
    ),
    ("symbols", ["spy"], ("spy",), 'symbols.0 = spy: must be in capitals: "SPY"'),
    (
        "risk.margin.warn_at",
        ["0.5", "1.5"],
        (Decimal("0.5"), Decimal("1.5")),
        "risk.margin.warn_at.1 = 1.5: must be less than or equal to 1",
    ),
    (
        "strategies.own",
        {"dips": {**OF_DIPS, "allocation": "7"}},
        {"dips": UserStrategySettings(terms={"falls": 3}).model_copy(update={"allocation": Decimal(7)})},
        "strategies.dips.allocation = 7: must be less than or equal to 1",
    ),
    ("risk.window_end", "03:00:00", time(3), "risk.window_start is after risk.window_end; change one of the two"),
    (
        "risk.min_notional",
        "900",
        Decimal(900),
        "risk.min_notional exceeds risk.max_notional, so that no order passes; change one of the two",
    ),
    (
        "risk.protections.volatility_halt.at_least",
        300,
        300,
        "risk.protections.volatility_halt: at_least is more than returns, so that nothing would ever be judged; "
        "lower it",
    ),
)
def test_an_out_of_range_value_stands_as_history(key: str, raw: object, value: object, words: str) -> None:
    """SP-07: a bound that was tightened, a choice that is gone, a rule between keys that came later"""
    record = put(as_json(Settings()), key, raw)

    found = read(record, 1)

    assert found.odd.words == (words,)
    assert found.odd.unread == ()
    assert at(found, key) == value
    assert json.loads(orjson.dumps(written(found), default=str)) == record
    assert restated(found) == found


@table(
    "key raw words",
    ("risk.entries_an_hour", 3, "risk.entries_an_hour: there is no such setting any more"),
    ("phases", {"moon": "full"}, "phases: there is no such setting any more"),
    ("risk.daily_loss.eur", "9", "risk.daily_loss.eur: there is no such setting any more"),
    ("risk.entries_a_day", "some", "risk.entries_a_day = some: must be a valid integer, unable to parse string"),
    ("account.mode", "dream", "account.mode = dream: must be 'paper' or 'live'"),
    ("risk", 7, "risk = 7: must be a valid dictionary or instance of RiskSettings"),
    (
        "strategies.own",
        {"dips": 5},
        "strategies.dips = 5: must be a valid dictionary or instance of UserStrategySettings",
    ),
    ("risk.daily_loss", {"usd": None, "of_equity": None}, "give exactly one of usd and of_equity"),
)
def test_an_unreadable_setting_keeps_its_default(key: str, raw: object, words: str) -> None:
    """SP-07"""
    record = put(as_json(Settings()), key, raw)

    found = read(record, 1)

    (said,) = found.odd.words
    assert words in said
    assert found.model_dump() == Settings().model_dump()
    assert json.loads(orjson.dumps(written(found), default=str)) == record
    assert restated(found) == found


def test_every_odd_setting_is_named(snapshot: SnapshotAssertion) -> None:
    """SP-07: in one line"""
    record = as_json(Settings())
    for key in ("moon", "risk.moon", "staging.moon", "display.moon"):
        record = put(record, key, 1)
    record = put(record, "risk.entries_a_day", 20_000)

    odd = read(record, 1).odd

    assert len(odd.words) == 5
    assert [key for key, _ in odd.unread] == [("display", "moon"), ("moon",), ("risk", "moon"), ("staging", "moon")]
    told = as_they_were(odd)
    assert told == snapshot
    assert "\n" not in told


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | texts(6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(6), inner, max_size=3),
    max_leaves=5,
)


def paths(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        yield (*path, key)
        if isinstance(value, Mapping):
            yield from paths(value, (*path, key))


EVERY_KEY = sorted(paths(json.loads((KEPT / "settings-1.json").read_text())))


@settings(max_examples=25)
@given(
    changes=st.lists(st.tuples(st.sampled_from(EVERY_KEY), st.sampled_from(["", "x"]), json_values), max_size=6),
    version=st.just(1),
)
@example([(("strategies", "own"), "", None), (("strategies", "vwap"), "x", {})], 1)
@example([(("strategies", "own"), "", "mine"), (("strategies", "vwap"), "x", {})], 1)
def test_no_settings_of_a_journal_are_refused(changes: list[tuple[tuple[str, ...], str, object]], version: int) -> None:
    """SP-07: whatever stands in them; and they are written as they were read"""
    record = as_json(Settings())
    for path, more, value in changes:
        table: Any = record
        for key in path[:-1]:
            table = table.get(key) if isinstance(table, dict) else None
        if isinstance(table, dict):
            table[path[-1] + more] = value

    found = read(record, version)

    assert restated(found) == found
    assert bool(found.odd.words) or found == Settings.model_validate(record)


# ── a version and the next ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_renamed_key_is_read(later: Any, snapshot: SnapshotAssertion) -> None:
    """SP-07"""
    later(renamed("risk.trades_a_day", "risk.entries_a_day"), renamed("limits", "risk"))
    first = {"limits": {"trades_a_day": 7}, "risk": {"trades_a_day": 8}}

    assert read({"risk": {"trades_a_day": 7}}, 1).risk.entries_a_day == 7
    assert read({"limits": {"entries_a_day": 9}}, 2).risk.entries_a_day == 9
    assert read({"risk": {"entries_a_day": 4}}, 3).risk.entries_a_day == 4
    assert read(first, 1).odd.words == (snapshot,)
    assert read({"risk": {"trades_a_day": 7}}, 3).odd.words == (snapshot,)


def test_a_changed_default_keeps_its_old_value(later: Any) -> None:
    """SP-07: a missing key takes the default of its version"""
    later(each(defaulted("risk.several_strategies_a_symbol", True), defaulted("exits.max_days", 9)))

    old, new = read({"risk": {}}, 1), read({"risk": {}}, 2)

    assert (old.risk.several_strategies_a_symbol, old.exits.max_days) == (True, 9)
    assert (new.risk.several_strategies_a_symbol, new.exits.max_days) == (False, 0)
    assert read({"exits": {"max_days": 3}}, 1).exits.max_days == 3
    assert written(old)["risk"]["several_strategies_a_symbol"] is True


@table("values", 7, None, [], "risk")
def test_a_non_table_is_no_settings(values: object) -> None:
    """SP-01: a record that nobody wrote is refused"""
    with pytest.raises(TypeError):
        read(values, 1)


# ── state documents ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_state_document_keeps_its_version(later: Any) -> None:
    """SP-07, SP-02: one that was written before there were any holds settings of the first"""
    later(renamed("risk.trades_a_day", "risk.entries_a_day"))
    adapter = TypeAdapter(TradingStatusState)
    of_today = adapter.dump_python(TradingStatusState(), mode="json")
    older = {**of_today, "settings": {"risk": {"trades_a_day": 7}}}

    assert adapter.validate_python(older).settings.risk.entries_a_day == 7
    assert adapter.validate_python(of_today).settings == Settings()
    kept = put_down(read({"risk": {"entries_a_day": 20_000, "moon": 1}}, 2))
    assert kept["version"] == 2
    assert taken_up(kept) == read({"risk": {"entries_a_day": 20_000, "moon": 1}}, 2)


@table("kept", 7, None, {"version": "x", "settings": {}}, {"version": 99, "settings": {}})
def test_a_document_without_settings_is_refused(kept: object) -> None:
    """SP-02: the journal says what they are"""
    with pytest.raises(ValueError, match="settings"):
        TypeAdapter(TradingStatusState).validate_python({"settings": kept})


# ── what holds beside what is history ────────────────────────────────────────────────────────────────────────────────


def test_tighter_limits_join_history() -> None:
    """SP-07, RK-13: and a looser one is not"""
    held = read(put(put(as_json(Settings()), "risk.spread_limit", "1.5"), "risk.entries_a_day", 5), 1)
    file = Settings.model_validate({"risk": {"entries_a_day": 2, "max_open_positions": 4}})

    found = without_looser(held, file)

    assert found.risk.entries_a_day == 2
    assert found.risk.max_open_positions == 1
    assert found.risk.spread_limit == Decimal("0.002"), "of today's range, and tighter"

    stays = without_looser(read(put(as_json(Settings()), "risk.reserve_of_old", 5), 1), file)
    assert stays.odd.words == ()


def test_an_old_fault_stands_and_a_new_is_refused() -> None:
    """SP-07, RK-13"""
    held = read(put(as_json(Settings()), "risk.clock_steady_seconds", "0"), 1)
    file = Settings.model_validate({"risk": {"max_notional": {"usd": "20"}, "min_notional": "15"}})
    looser = [change for change in changes_between(held, file) if change.key == "risk.max_notional"]

    assert with_changes(held, file, looser).odd == held.odd
    assert with_changes(held, file, looser).risk.max_notional.usd == 20
    file = Settings.model_validate({"risk": {"max_notional": {"usd": "100"}, "min_notional": "60"}})
    looser = [change for change in changes_between(held, file) if change.key == "risk.min_notional"]
    with pytest.raises(ValueError, match=r"risk\.min_notional exceeds risk\.max_notional"):
        with_changes(held, file, looser)
