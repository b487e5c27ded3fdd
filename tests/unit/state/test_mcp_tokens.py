"""The token of an agent's server: made once, for the owner alone, and kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.ports import OperatorError
from state.files import Home
from state.mcp_tokens import TOKEN, kept_token


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).mcp_token("claude")


def test_a_token_is_made_once_and_kept(path: Path) -> None:
    """SY-11: over a restart"""
    first, second = kept_token(path), kept_token(path)

    assert TOKEN.fullmatch(first.text)
    assert (second.text, first.is_new, second.is_new) == (first.text, True, False)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_agents_have_their_own_tokens(tmp_path: Path) -> None:
    """SY-11"""
    home = Home.of({"KEYTURN_HOME": str(tmp_path)})

    assert kept_token(home.mcp_token("claude")).text != kept_token(home.mcp_token("other")).text
    assert list(home.accounts()) == []


@pytest.mark.parametrize("content", ["", "short", "x" * 100_000, "a b" * 20, "\xff" * 43])
def test_what_is_no_token_is_replaced(path: Path, content: str) -> None:
    """SY-11"""
    kept_token(path)
    path.write_text(content, encoding="latin-1")

    assert kept_token(path).is_new
    assert not kept_token(path).is_new


def test_a_token_that_others_could_read_is_replaced(path: Path) -> None:
    """SY-11"""
    before = kept_token(path)
    path.chmod(0o644)
    after = kept_token(path)

    assert (after.is_new, after.text != before.text) == (True, True)
    assert path.stat().st_mode & 0o777 == 0o600


def test_without_a_place_for_it_nothing_is_served(path: Path) -> None:
    """SY-11"""
    path.mkdir(parents=True)
    with pytest.raises(OperatorError):
        kept_token(path)
