"""Build the differences between the settings file and the settings in force, shown before a reload (RK-13)."""

from __future__ import annotations

from core.messages.commands import SettingsFault
from core.settings.changes import ChangeKind, digest_of
from core.trading_state.state import TradingState
from core.views import NOTHING_TO_RELOAD, ReloadView


def reload_view(state: TradingState) -> ReloadView:
    file = state.sightings.settings_file
    if isinstance(file, SettingsFault):
        return ReloadView(fault=file.reason)
    if file is None or not state.sightings.file_changes:
        return NOTHING_TO_RELOAD
    words: dict[ChangeKind, tuple[str, ...]] = {
        kind: tuple(change.words for change in state.sightings.file_changes if change.kind is kind)
        for kind in ChangeKind
    }
    return ReloadView(
        words[ChangeKind.TIGHTER], words[ChangeKind.LOOSER], words[ChangeKind.RESTART], digest=digest_of(file)
    )
