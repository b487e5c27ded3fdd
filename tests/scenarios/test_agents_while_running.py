"""Agents are added, changed and removed while the engine runs, and no entry waits for it (OP-09, RK-13)."""

from __future__ import annotations

from typing import Any

import pytest

from core import facts
from core.messages.desk_commands import ReloadLimits, SettingsFault, SettingsFileSeen
from core.model.draft import DraftEnd, DraftRefusal, DraftWord
from core.model.staging import AuthorizationKind
from core.settings.changes import agent_changes, digest_of
from core.settings.settings import Settings
from core.workflows.drafting import NOT_SET_UP
from tests.kit.drafts import adopts
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt
from tests.scenarios.test_drafts import CLAUDE, a_house, drafts
from tests.scenarios.test_unattended_exits import UP, a_signed_house

OTHER = "other"
SECRET = "31337"
"""A limit of the other agent."""
CHANGES: dict[str, dict[str, dict[str, Any]]] = {
    "added": {CLAUDE: {}, OTHER: {"symbols": ["SPY"], "most_value": "900"}},
    "removed": {},
    "replaced": {OTHER: {}},
    "paused": {CLAUDE: {"enabled": False}},
    "live": {CLAUDE: {"live": True}},
    "symbols": {CLAUDE: {"symbols": ["IBM", "SPY"]}},
    "value": {CLAUDE: {"most_value": "90000"}},
    "drafts": {CLAUDE: {"per_hour": 100, "waiting": 50, "minutes": 60}},
    "hours": {CLAUDE: {"begins": "10:00", "ends": "11:00"}},
    "amounts": {CLAUDE: {"hides_amounts": True}},
}


def a_file(house: House, agents: dict[str, dict[str, Any]], **risk: Any) -> Settings:
    """The settings in force, with these agents and limits."""
    values = house.desk.control.settings.model_dump()
    return Settings.model_validate({**values, "agents": agents, "risk": {**values["risk"], **risk}})


def sees(house: House, file: Settings | SettingsFault) -> None:
    house.presses(SettingsFileSeen(file))


def stages(house: House) -> bool:
    before = len(house.desk.stage.proposals())
    house.presses(a_typed_buy(limit="99.60", stop="99.00"))
    return len(house.desk.stage.proposals()) > before


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_agents_applies_when_it_is_seen(name: str) -> None:
    """OP-09, RK-13: entries pass, nothing is asked for, and the journal has it"""
    house = a_house()
    file = a_file(house, CHANGES[name])
    for _ in range(3):
        sees(house, file)

    assert house.desk.control.settings == file
    assert house.desk.control.refusal() is None
    assert house.facts(facts.SettingsFileChanged) == []
    assert len(house.facts(facts.AgentsApplied)) == 1
    assert house.desk.sightings.file_changes == ()
    assert stages(house)
    assert_can_be_rebuilt(house)


def test_changed_agents_hold_after_a_restart() -> None:
    """OP-09, SP-01: the file says what is in force; nothing is applied again"""
    house = a_house()
    file = a_file(house, CHANGES["added"])
    sees(house, file)
    applied = len(house.facts(facts.SettingsApplied))
    house.settings = file
    house.restarted()

    assert house.desk.control.settings.agents == file.agents
    assert len(house.facts(facts.SettingsApplied)) == applied


def test_signed_exits_stay_signed() -> None:
    """OP-06: only new rules of exits ask for their key again"""
    house = a_signed_house(("10:02", "10:10", UP))
    signed = list(house.desk.stage.authorizations(AuthorizationKind.EXITS))
    sees(house, a_file(house, CHANGES["added"]))

    assert signed
    assert list(house.desk.stage.authorizations(AuthorizationKind.EXITS)) == signed


def test_what_else_changed_waits_and_is_named_alone() -> None:
    """RK-13: the agents' part holds, the limits wait for the operator"""
    house = a_house()
    file = a_file(house, CHANGES["added"], entries_a_day=3)
    sees(house, file)
    (told,) = house.facts(facts.SettingsFileChanged)

    assert house.desk.control.settings.agents == file.agents
    assert house.desk.control.settings.risk.entries_a_day == 5
    assert [change.key for change in house.desk.sightings.file_changes] == ["risk.entries_a_day"]
    assert "risk.entries_a_day" in told.reason
    assert not {CLAUDE, OTHER, "agents"} & set(told.reason.replace(".", " ").split())
    assert not stages(house)
    house.presses(ReloadLimits(digest_of(file)))
    assert house.desk.control.settings == file
    assert stages(house)


def test_drafts_of_a_removed_agent_end() -> None:
    """OP-09: nobody could adopt them"""
    house = a_house()
    drafts(house)
    sees(house, a_file(house, {OTHER: {}}))

    ended = house.last(facts.DraftEnded)
    assert (ended.number, ended.end, ended.reason) == (1, DraftEnd.EXPIRED, NOT_SET_UP)
    assert house.desk.drafts.waiting == ()
    assert drafts(house, key="b").code is DraftRefusal.UNKNOWN_AGENT
    assert_can_be_rebuilt(house)


def test_drafts_of_an_agent_removed_before_a_start_end() -> None:
    """OP-09"""
    house = a_house()
    drafts(house)
    house.settings = a_file(house, {OTHER: {}})
    house.restarted()

    assert house.last(facts.DraftEnded).number == 1
    assert house.desk.drafts.waiting == ()


def test_drafts_of_a_paused_agent_stay_for_the_operator() -> None:
    """OP-09: it drafts no more until it is resumed"""
    house = a_house()
    drafts(house)
    sees(house, a_file(house, {CLAUDE: {"enabled": False}}))
    paused = drafts(house, key="b").code
    house.presses(adopts(house.desk, 1))
    sees(house, a_file(house, {CLAUDE: {}}))

    assert paused is DraftRefusal.OFF
    outcome = house.desk.drafts.outcome(1)
    assert outcome is not None
    assert outcome.word is DraftWord.STAGED
    assert drafts(house, key="c").code is None


def test_a_limit_of_an_agent_holds_from_the_next_draft() -> None:
    """OP-09"""
    house = a_house()
    sees(house, a_file(house, {CLAUDE: {"most_value": "100"}}))
    assert drafts(house).code is DraftRefusal.VALUE
    sees(house, a_file(house, {CLAUDE: {}}))
    assert drafts(house, key="b").code is None


@pytest.mark.parametrize("is_a_fault", [True, False])
def test_a_refused_draft_says_nothing_of_the_file(*, is_a_fault: bool) -> None:
    """OP-09: the file may name other agents and limits; the operator's log has it"""
    house = a_house()
    fault = SettingsFault(f"settings.toml: agents.{OTHER}.per_hour = {SECRET}: must be at most 1000")
    sees(house, fault if is_a_fault else a_file(house, {CLAUDE: {}}, entries_a_day=3))
    answer = drafts(house)

    assert answer.code is DraftRefusal.CHECKS
    told = " ".join(answer.reasons)
    assert not [word for word in (OTHER, SECRET, "entries_a_day", "settings.toml") if word in told]
    assert (SECRET in " ".join(house.last(facts.DraftRejected).reasons)) is is_a_fault


def test_changes_of_agents_are_told_in_words() -> None:
    """OP-09: name, setting, old and new"""
    before = Settings.model_validate({"agents": {CLAUDE: {"symbols": ["SPY"]}, "gone": {}}})
    after = Settings.model_validate({"agents": {CLAUDE: {"most_value": "900"}, OTHER: {"symbols": ["IBM", "SPY"]}}})

    assert agent_changes(before, after) == (
        "claude symbols SPY → none, most_value 2000 → 900",
        "gone removed",
        "other added (symbols IBM/SPY)",
    )
