"""Names of agents that could be read as the desk's own are refused (OP-09)."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.settings.agent_names import OF_THE_DESK, refusal_of_name
from core.settings.settings import Settings
from core.settings.strategies import HOUSE_NAMES

LIKE_THEM = (
    "manua1", "man_ual", "manuall", "rnanual", "0perator", "oper4tor", "operator-2", "vvatchman", "desk2", "the-desk",
    "key-turn", "sytsem", "mean-reversion", "v_wap", "momentum2",
)  # fmt: skip
HONEST = (
    "claude",
    "gpt-5",
    "gemini",
    "mistral",
    "qwen-3",
    "deepseek",
    "o3",
    "helper",
    "analyst",
    "oracle",
    "x",
    "momo",
)


@pytest.mark.parametrize("name", [*sorted(OF_THE_DESK), *HOUSE_NAMES, *LIKE_THEM])
def test_a_name_of_the_desk_is_refused(name: str) -> None:
    """OP-09"""
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"agents": {name: {}}})

    assert len(refused.value.errors()) == 1
    assert repr(name) in str(refused.value)


@pytest.mark.parametrize("name", HONEST)
def test_any_other_name_is_taken(name: str) -> None:
    """OP-09"""
    assert set(Settings.model_validate({"agents": {name: {}}}).agents) == {name}


def test_a_name_of_the_users_own_strategy_is_refused() -> None:
    """OP-09, ST-01"""
    table = {"strategies": {"nightfall": {}}, "agents": {"nightfa11": {}}}

    with pytest.raises(ValidationError):
        Settings.model_validate(table)
    assert refusal_of_name("nightfa11") == ""
