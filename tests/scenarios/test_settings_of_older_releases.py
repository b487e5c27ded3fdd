"""A desk whose journal holds settings that today's rules would not take: it opens, says so once, and goes on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core.event_text import in_words
from core.facts import LimitsReloaded, ReloadRefused, SettingsApplied
from core.messages.desk_commands import ReloadLimits, SettingsFileSeen
from core.settings.changes import digest_of
from core.settings.history import read
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from core.workflows.operator.limits_reload import WORD
from tests.scenarios.house import STEADY, House, a_house_in_a_position, assert_can_be_rebuilt

NOTE = "the journal's settings are of another Keyturn, read as they were: "


def of_then(**risk: Any) -> Settings:
    """Settings as an older journal has them."""
    values = Settings().model_dump(mode="json")
    return read({**values, "risk": {**values["risk"], **risk}}, 1)


def a_house_that_held(**risk: Any) -> House:
    """It holds a position and its stop, under settings that no file of today may have, and starts again."""
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    house.desk.record(SettingsApplied(of_then(**risk)))
    assert_can_be_rebuilt(house)
    return house


def notes(house: House) -> tuple[str, ...]:
    """What the screen says of the start."""
    return ViewBuilder(house.engine).draw(house.line.at).status.notes


def test_an_unknown_old_limit_is_named_once(snapshot: SnapshotAssertion) -> None:
    """SP-07, RK-13"""
    house = a_house_that_held(entries_a_day=20_000, moon="full")

    house.restarted().until("10:08")

    assert notes(house) == snapshot
    applied = house.facts(SettingsApplied)
    assert [fact.settings.odd.words != () for fact in applied] == [False, True, False]
    assert applied[-1].settings.risk.entries_a_day == 1
    assert in_words(applied[1]) == snapshot
    assert (house.held(), len(house.stops)) == ("0.502", 1)
    assert_can_be_rebuilt(house)

    house.restarted()
    assert notes(house) == ()
    assert len(house.facts(SettingsApplied)) == 3


def test_a_tighter_old_limit_holds_until_reload(snapshot: SnapshotAssertion) -> None:
    """SP-07, RK-13: no later release loosens what the operator set; beside it a tighter one is taken"""
    house = a_house_that_held(clock_jump_seconds="0")
    house.settings = Settings.model_validate({"risk": {"price_band": "0.04"}})

    house.restarted().until("10:08")

    held = house.desk.control.settings.risk
    assert (held.clock_jump_seconds, held.price_band) == (Decimal(0), Decimal("0.04"))
    assert notes(house) == snapshot
    assert_can_be_rebuilt(house)
    applied = len(house.facts(SettingsApplied))
    house.restarted().until("10:09")
    assert len(house.facts(SettingsApplied)) == applied, "it is recorded once"

    house.presses(SettingsFileSeen(house.settings))
    house.presses(ReloadLimits(digest_of(house.settings), WORD))

    assert house.facts(ReloadRefused) == []
    assert house.last(LimitsReloaded).taken == snapshot
    assert house.desk.control.settings == house.settings


@pytest.mark.parametrize("word", ["", WORD])
def test_limits_reload_beside_old_settings(word: str) -> None:
    """SP-07, RK-13: only what the operator writes now is judged"""
    house = a_house_that_held(clock_jump_seconds="0")
    house.restarted().until("10:08")
    file = Settings.model_validate({"risk": {"price_band": "0.04", "entries_a_day": 3}})

    house.presses(SettingsFileSeen(file))
    house.presses(ReloadLimits(digest_of(file), word))

    risk = house.desk.control.settings.risk
    assert house.facts(ReloadRefused) == []
    assert risk.price_band == Decimal("0.04")
    assert (risk.clock_jump_seconds, risk.entries_a_day) == ((2, 3) if word else (0, 1))
