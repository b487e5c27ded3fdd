"""Change limits only by an explicit command: tighter at once, looser after a typed word (RK-13).

A settings file that differs from the settings in force blocks entries until the operator reloads the limits or restores
the file. An unreadable file changes nothing. Only the tables of agents are taken over as they are seen: an agent
drafts, and no limit of an order is looser by it (OP-09).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core import facts
from core.messages.desk_commands import ReloadLimits, SettingsFault, SettingsFileSeen, SettingsSource
from core.messages.effects import Effect
from core.model.text_sanitizer import is_news
from core.model.touch import TouchTerms
from core.risk.regime import levels_of
from core.settings.changes import (
    ChangeKind,
    LimitChange,
    agent_changes,
    changes_between,
    digest_of,
    is_within,
    with_agents,
    with_changes,
    with_what_fits,
    without_looser,
)
from core.settings.history import as_recorded
from core.settings.settings import Settings
from core.trading_state.state import TradingState
from core.workflows.market_updates import RegimeUpdates
from core.workflows.operator.touch_keys import loosening
from core.workflows.protection.protections import ProtectionEvents
from core.workflows.workflow import answers

WORD = "LOOSEN"
NAMED = 2
"""Differences that a refusal names; the rest is counted."""
PROFILE = ("profile",)


class LimitsReload:
    def __init__(self, state: TradingState, protection_events: ProtectionEvents, regime_updates: RegimeUpdates) -> None:
        self.state, self.regime_updates = state, regime_updates
        self.protection_events = protection_events

    def begin_with(self, settings: Settings, installation: str) -> None:
        """Record the settings if they changed. Looser limits wait for the typed word, as in a running engine (RK-13).

        No crash and no restart lets them in.
        """
        state, control, settings = self.state, self.state.control, as_recorded(settings)
        if control.state.installation is None:
            state.record(facts.InstallationNamed(installation))
        if control.state.starts > 0:
            settings = without_looser(control.settings, settings, state.equity_of_today)
        if (kept := state.touch_keys.state.kept_terms) is not None:
            settings = _no_looser_touch(settings, kept)
        if control.state.starts == 0 or control.settings != settings:
            is_first = control.state.starts == 0
            changes = () if is_first else changes_between(control.settings, settings, state.equity_of_today)
            state.record(facts.SettingsApplied(settings))
            self.protection_events.end_overrides(changes)

    @answers(SettingsFileSeen)
    def on_seen(self, message: SettingsFileSeen) -> Iterable[Effect]:
        """Compare the file with the settings in force; record only changes."""
        state, answer = self.state, message.answer
        state.sightings.settings_file = answer
        if not isinstance(answer, SettingsFault) and (changed := agent_changes(state.control.settings, answer)):
            state.record(facts.AgentsApplied(with_agents(state.control.settings, answer), changed))
        equity = state.equity_of_today
        changes = () if isinstance(answer, SettingsFault) else changes_between(state.control.settings, answer, equity)
        state.sightings.file_changes = changes
        reason = self._reason(message, state.sightings.file_changes)
        if reason is None and state.control.state.settings_file is not None:
            state.record(facts.SettingsFileAgreed())
        elif reason is not None and is_news(reason, state.control.state.settings_file):
            state.record(facts.SettingsFileChanged(reason))
        return ()

    def _reason(self, message: SettingsFileSeen, changes: tuple[LimitChange, ...]) -> str | None:
        answer, left_out = message.answer, message.left_out
        if isinstance(answer, SettingsFault):
            return f"the settings file cannot stand ({answer.reason}): correct it, the limits stay as they were"
        if not changes:
            return None
        if left_out:
            return (
                f"last time's --set {', '.join(left_out)} is not given now ({_named(changes)}): "
                "start with it again, or reload the limits in Ctrl+P"
            )
        sources = {change.path: _source_of(change.path, message.sources) for change in changes}
        if whole := sources.get(PROFILE, ""):  # it stands for every limit that no other source sets
            sources = {path: words or whole for path, words in sources.items()}
        of_file = [change for change in changes if not sources[change.path]]
        of_others = [change for change in changes if sources[change.path]]
        if not of_others:
            return f"the settings file changed ({_named(of_file)}): reload the limits in Ctrl+P, or put it back"
        others = f"{', '.join(dict.fromkeys(sources[change.path] for change in of_others))} ({_named(of_others)})"
        if not of_file:
            return f"{others}: put it back as it was and start again, or reload the limits in Ctrl+P"
        return (
            f"the settings file changed ({_named(of_file)}); {others}: "
            "reload the limits in Ctrl+P, or put all of it back and start again"
        )

    @answers(ReloadLimits)
    def on_reload(self, command: ReloadLimits) -> Iterable[Effect]:
        """Apply tighter limits at once, looser ones with the typed word, and nothing else before a restart."""
        state = self.state
        refusal = self._refusal(command)
        if refusal is not None:
            return self._refuse(refusal)
        file, current = state.sightings.settings_file, state.control.settings
        assert isinstance(file, Settings)
        kinds = {ChangeKind.TIGHTER, ChangeKind.LOOSER} if command.word == WORD else {ChangeKind.TIGHTER}
        asked = [change for change in state.sightings.file_changes if change.kind in kinds]
        try:
            settings, taken = with_changes(current, file, asked), asked
        except ValueError as error:
            settings, unfit = with_what_fits(current, file, asked)
            if command.word == WORD or len(unfit) == len(asked):
                return self._refuse(f"{error}; the tighter limits alone do not fit: type {WORD} for all of them")
            taken = [change for change in asked if change not in unfit]
        looser = [change.path for change in taken if change.kind is ChangeKind.LOOSER]
        if (refused := loosening(state, command, looser)) is not None:
            return self._refuse(f"confirm.touch: {refused.in_words}")
        left = [change for change in state.sightings.file_changes if change not in taken]
        if taken:
            state.record(facts.SettingsApplied(settings))
        if (levels := levels_of(settings.regime)) != levels_of(current.regime):
            self.regime_updates.use_levels(levels)
        state.record(
            facts.LimitsReloaded(tuple(c.words for c in taken), tuple(f"{c.words}, {c.kind.value}" for c in left))
        )
        state.sightings.file_changes = tuple(left)
        self.protection_events.on_tightened(taken)
        return ()

    def _refusal(self, command: ReloadLimits) -> str | None:
        file = self.state.sightings.settings_file
        if file is None:
            return "the settings file was not read yet; wait a moment"
        if isinstance(file, SettingsFault):
            return f"the settings file cannot stand: {file.reason}"
        if command.digest != digest_of(file):
            return "the settings file changed again since it was shown; look again"
        if command.word not in ("", WORD):
            return f"the word is {WORD}"
        return None

    def _refuse(self, reason: str) -> Iterable[Effect]:
        self.state.record(facts.ReloadRefused((reason,)))
        return ()


def _no_looser_touch(settings: Settings, kept: TouchTerms) -> Settings:
    """Return the settings with the stricter terms of a touch; a reset and a restore loosen none (OP-15)."""
    terms = settings.confirm.model_copy(update={"touch": kept.touch, "touch_above_usd": kept.above_usd})
    return without_looser(settings.model_copy(update={"confirm": terms}), settings)


def _named(changes: Sequence[LimitChange]) -> str:
    more = f" and {len(changes) - NAMED} more" if len(changes) > NAMED else ""
    return ", ".join(change.words for change in changes[:NAMED]) + more


def _source_of(path: tuple[str, ...], sources: Iterable[SettingsSource]) -> str:
    """Return the source of this key, a part of it or a table around it; empty for the file or the profile."""
    return next((source.words for source in sources if is_within(path, source.path)), "")
