"""`+` on a symbol: add an alert, and see the existing ones (MD-06)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from console.alert_words import EXAMPLES, Drop, read_alert
from console.screens.dialog_host import DialogHost
from console.screens.text_fields import FieldsScreen, TextField
from core.messages.commands import DropAlert, KeepAlert
from core.model.alert import Alert, AlertKind, AlertTerms, fault_of, in_words
from core.model.values import Symbol
from core.views import DeskView, WatchRow
from widgets import format as f
from widgets.lines import Cell, TextLine

SHOWN = 6
"""Number of alerts listed at a time."""


class AlertScreen(FieldsScreen):
    def __init__(self, behind: DialogHost, symbol: Symbol) -> None:
        self.symbol = symbol
        self._top = 0
        """Index of the first listed alert."""
        super().__init__(behind, f"Alert on {symbol}", [TextField("Alert when", "")], "adds it")

    def update_view(self, _view: DeskView, _now: datetime) -> None:
        self.draw()

    def preview(self) -> Sequence[TextLine]:
        kept = self._kept()
        self._top = min(self._top, max(0, len(kept) - 1) // SHOWN * SHOWN)
        shown = kept[self._top : self._top + SHOWN]
        listed = [(Cell(f"  {alert.number}  "), Cell(in_words(alert.terms))) for alert in shown]
        place = f"     {self._top + 1} to {self._top + len(shown)} of {len(kept)}; ↓ ↑ the others, drop and a number"
        more = [(Cell(place, "muted"),)] if len(kept) > SHOWN else []
        heading = "Alerts:" if kept else "No alerts."
        return (*self._meaning(), (), (Cell(heading, "muted"),), *listed, *more)

    def action_next(self) -> None:
        """Show the next page of alerts; after the last, the first one."""
        self._turn(SHOWN)

    def action_previous(self) -> None:
        self._turn(-SHOWN)

    def _turn(self, by: int) -> None:
        pages = max(1, -(-len(self._kept()) // SHOWN))
        self._top = (self._top // SHOWN + by // SHOWN) % pages * SHOWN
        self.draw()

    def accept(self) -> None:
        meant = self._meant()
        if isinstance(meant, str):
            self.refuse(meant)
            return
        if isinstance(meant, Drop):
            self.dismiss()
            self.behind.handle.send(DropAlert(meant.number))
            self.behind.say(f"dropping alert {meant.number}")
            return
        self.dismiss()
        self.behind.handle.send(KeepAlert(meant))
        self.behind.say(f"{self.symbol}: alert when {in_words(meant)}")

    def _meaning(self) -> Sequence[TextLine]:
        """Return the effect of Enter, above the current price."""
        meant, row = self._meant(), self._row()
        price = "no price yet" if row is None or row.last is None else f"last {f.at_tick(row.last)}"
        change = None if row is None else row.change_fraction
        now = (Cell(price if change is None else f"{price}, {f.signed_percent(change)} today", "muted"),)
        if not self.fields[0].text:
            kept = self._kept()
            return (now, (Cell(f"{EXAMPLES}  drop {kept[0].number}" if kept else EXAMPLES, "muted"),))
        if isinstance(meant, str):
            return (now, (Cell(meant, "warning"),))
        if isinstance(meant, Drop):
            return (now, (Cell(f"Enter drops alert {meant.number}"),))
        return (now, (Cell(f"Enter: alert when {in_words(meant)}", "strong"),))

    def _meant(self) -> AlertTerms | Drop | str:
        """Return the alert as it would be kept, or the reason for which the engine would reject it."""
        row = self._row()
        meant = read_alert(self.symbol, self.fields[0].text, None if row is None else row.last)
        if isinstance(meant, Drop):
            known = any(alert.number == meant.number for alert in self._kept())
            return meant if known else f"there is no alert {meant.number} on {self.symbol}"
        if isinstance(meant, str):
            return meant
        view, seen = self.behind.view, None if row is None else _seen(row, meant.kind)
        return fault_of(meant, [alert.terms for alert in view.alerts] if view is not None else [], seen) or meant

    def _kept(self) -> list[Alert]:
        view = self.behind.view
        return [] if view is None else [alert for alert in view.alerts if alert.terms.symbol == self.symbol]

    def _row(self) -> WatchRow | None:
        view = self.behind.view
        return None if view is None else next((row for row in view.watch.rows if row.symbol == self.symbol), None)


def _seen(row: WatchRow, kind: AlertKind) -> Decimal | None:
    """Return the current value that the alert would watch."""
    match kind:
        case AlertKind.PRICE:
            return row.last
        case AlertKind.CHANGE:
            return row.change_fraction
        case AlertKind.SPREAD:
            return row.quote.spread if row.quote is not None else None
        case AlertKind.VOLUME:
            return row.volume or None
        case AlertKind.FILL | AlertKind.HALT:
            return None
