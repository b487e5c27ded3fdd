"""What the settings file says otherwise than the desk trades by, shown before it is taken over (RK-13)."""

from __future__ import annotations

from core.desk import Desk
from core.inputs import SettingsFault
from core.risk.reloading import Kind, digest_of
from core.views import NOTHING_TO_RELOAD, ReloadView


def reload_view(desk: Desk) -> ReloadView:
    file = desk.sightings.settings_file
    if isinstance(file, SettingsFault):
        return ReloadView(fault=file.reason)
    if file is None or not desk.sightings.file_changes:
        return NOTHING_TO_RELOAD
    words: dict[Kind, tuple[str, ...]] = {
        kind: tuple(change.words for change in desk.sightings.file_changes if change.kind is kind) for kind in Kind
    }
    return ReloadView(words[Kind.TIGHTER], words[Kind.LOOSER], words[Kind.RESTART], digest=digest_of(file))
