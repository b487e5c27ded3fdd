"""The interface of the desk for its dialogs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from console.arming import Keyboard
from console.client.access import EngineAccess
from console.host_files import HostFiles
from console.order_form.prefill import FormMemory
from console.order_form.presets import Preset
from console.screens.dialog import Dialog
from console.terminal.driver import TerminalLink
from core.model.values import ClientOrderId, ProposalId, Symbol
from core.views import DeskView
from widgets.grid_cells import Tone


class DialogHost(Protocol):
    """The desk behind a dialog.

    Attributes
    ----------
    now
        The console's monotonic clock, in seconds, for keys and paints.
    keyboard
        The latest keys, on any screen.
    surroundings
        Access to files; each call may block.
    forms
        State shared by the order forms.
    """

    handle: EngineAccess
    keyboard: Keyboard
    surroundings: HostFiles
    forms: FormMemory
    now: Callable[[], float]

    @property
    def link(self) -> TerminalLink: ...
    @property
    def is_too_small(self) -> bool: ...
    @property
    def watched(self) -> Symbol | None: ...
    @property
    def view(self) -> DeskView | None: ...
    def engine_now(self) -> datetime: ...
    def say(self, text: str, tone: Tone = "") -> None: ...
    def open_ticket(self, proposal_id: ProposalId) -> None: ...
    def show_order(self, order_id: ClientOrderId) -> None: ...
    def flatten(self) -> None: ...
    def keep_preset(self, number: int, preset: Preset) -> None: ...
    def show_list(self, name: str) -> None: ...
    def step_off(self, pane: str, key: str) -> None: ...
    def ask(self, question: Dialog) -> None: ...
