"""`n`: an order typed by hand. It becomes a proposal like any other, with a ticket and checks of its own (OP-01)."""

from __future__ import annotations

from datetime import datetime

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from console.awaited import PATIENCE, Awaited, NotStaged, Staged, awaited
from console.keymap import Place, bindings_for, footer
from console.order_form import Fault, read_form
from console.screens.behind import Behind
from console.screens.layer import Dialog
from core.model.staging import MANUAL
from core.views import DeskView, SymbolView
from widgets import format as f
from widgets.lines import Cell, Lines, TextLine
from widgets.ticket import wrapped

WIDTH = 72
FIELDS: tuple[tuple[str, str, str], ...] = (
    ("symbol", "Symbol", ""),
    ("effect", "Effect", "buy, or sell what is held"),
    ("quantity", "Quantity", "shares"),
    ("type", "Type", "limit, market; stop only closes"),
    ("limit", "Limit price", "USD a share"),
    ("stop", "Stop price", "USD a share; the loss is limited there"),
    ("holder", "Stop held by", "broker, desk, or you"),
)
MOVES = {"tab": 1, "down": 1, "shift+tab": -1, "up": -1}
"""Keys that go to another field, and how far."""
EDITS = {
    "backspace": "delete_left",
    "delete": "delete_right",
    "left": "cursor_left",
    "right": "cursor_right",
    "home": "home",
    "end": "end",
}
"""Keys that change a field, and its action."""
FIRST_KEYS = ("ctrl+k", "f10", "ctrl+q", "escape")
"""Keys that never wait for the form to be there."""
ORDER = [field for field, _, _ in FIELDS]
DEFAULTS = {"effect": "buy", "type": "limit", "holder": "broker"}


class NewOrderScreen(Dialog):
    CSS = """
    #form { width: 78; height: auto; max-height: 100%; background: $surface; border: round $accent; padding: 0 1; }
    #form Horizontal { height: 1; }
    #form .label { width: 14; }
    #form Input { width: 20; height: 1; border: none; padding: 0 1; background: $panel; }
    #form Input:focus { border: none; background: $primary 40%; }
    #form .unit { width: 1fr; padding-left: 1; }
    #form-about, #form-said { margin-top: 1; }
    """
    PLACE = Place.ORDER_FORM
    BINDINGS = bindings_for(PLACE)

    def __init__(self, behind: Behind) -> None:
        super().__init__()
        self.behind = behind
        symbols = behind.view.symbols if behind.view is not None else ()
        first = symbols[0].symbol if len(symbols) == 1 else ""
        self.inputs = {
            field: Input(
                DEFAULTS.get(field, first if field == "symbol" else ""),
                id=f"form-{field}",
                compact=True,
                select_on_focus=False,
            )
            for field, _, _ in FIELDS
        }
        self.about = Lines(id="form-about")
        self.said = Lines(id="form-said")
        self._awaited: Awaited | None = None
        self._early: list[events.Key] = []

    def compose(self) -> ComposeResult:
        box = Vertical(id="form")
        box.border_title = "New order ─ becomes a proposal, nothing is sent"
        with box:
            for field, label, unit in FIELDS:
                with Horizontal():
                    yield Lines([(Cell(label),)], classes="label")
                    yield self.inputs[field]
                    yield Lines([(Cell(unit, "muted"),)], classes="unit")
            yield self.about
            yield self.said

    def on_mount(self) -> None:
        self._go_to("quantity" if self.inputs["symbol"].value else "symbol")
        self._say(footer(Place.ORDER_FORM))
        self._describe()
        early, self._early = self._early, []
        for event in early:
            self.take(event)

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, event: events.Key) -> bool:
        """Heard before any binding, one key after the other: what was typed before Tab is in its field when the next
        character comes. False for a key that is not the form's."""
        if event.key in FIRST_KEYS:
            return False
        if not self.is_mounted:
            self._early.append(event)
            return True
        field = next((name for name, _, _ in FIELDS if self.inputs[name] is self.focused), "quantity")
        box = self.inputs[field]
        if event.key in MOVES:
            self._go_to(ORDER[(ORDER.index(field) + MOVES[event.key]) % len(ORDER)])
        elif event.key in EDITS:
            getattr(box, f"action_{EDITS[event.key]}")()
        elif event.key == "enter":
            self.action_stage()
        elif event.is_printable and event.character:
            character = event.character.upper() if box is self.inputs["symbol"] else event.character
            box.replace(character, *sorted(box.selection))
        else:
            return False
        return True

    def _go_to(self, field: str) -> None:
        """At once; what stands there is selected, so that typing replaces it."""
        box = self.inputs[field]
        self.set_focus(box)
        box.action_select_all()

    # ── what the engine says ─────────────────────────────────────────────────────────────────────────────────────

    def update_view(self, view: DeskView, _now: datetime) -> None:
        self._describe()
        if self._awaited is None or not self.is_current:
            return
        match self._awaited.answer(view):
            case Staged(proposal_id):
                self.dismiss()
                self.behind.open_ticket(proposal_id)
            case NotStaged(reason):
                self._awaited = None
                self.said.show(wrapped("NOT STAGED ", reason, WIDTH, "warning"))
            case None if self.behind.now() - self._awaited.since > PATIENCE:
                self._awaited = None
                self._say("no answer; nothing was staged")

    def on_input_changed(self, event: Input.Changed) -> None:
        """The form writes symbols in capitals itself."""
        box = event.input
        if box is self.inputs["symbol"] and box.value != box.value.upper():
            box.value = box.value.upper()
        self._describe()

    def on_input_submitted(self) -> None:
        self.action_stage()

    def action_stage(self) -> None:
        view = self.behind.view
        if view is None or self._awaited is not None:
            return
        order = read_form({field: box.value for field, box in self.inputs.items()}, view)
        if isinstance(order, Fault):
            label = next(label for field, label, _ in FIELDS if field == order.field)
            self._say(f"{label}: {order.message}", is_wrong=True)
            self._go_to(order.field)
            return
        strategy = None if order.effect.only_reduces else MANUAL
        self._awaited = awaited(view, order.symbol, strategy, self.behind.now())
        self.behind.handle.send(order)
        self._say("staging…")

    def action_back(self) -> None:
        self.dismiss()

    def _describe(self) -> None:
        """The symbol as the desk knows it, and what may be spent."""
        view = self.behind.view
        if view is None:
            return
        found = next((row for row in view.symbols if row.symbol == self.inputs["symbol"].value.upper()), None)
        self.about.show(
            [*_about(found, view), (Cell(f"buying power {f.money(view.status.buying_power)} USD", "muted"),)]
        )

    def _say(self, text: str, is_wrong: bool = False) -> None:
        self.said.show(wrapped("", text, WIDTH, "warning" if is_wrong else "muted"))


def _about(row: SymbolView | None, view: DeskView) -> list[TextLine]:
    if row is None:
        known = ", ".join(known.symbol for known in view.symbols)
        return wrapped("", f"symbols of this desk: {known}", WIDTH, "muted")
    quote = "no quote yet" if row.quote is None else f"{f.price(row.quote.bid)} × {f.price(row.quote.ask)} USD"
    held = sum(position.quantity for position in view.positions if position.symbol == row.symbol)
    parts = "fractions trade" if row.is_fractionable else "whole shares only"
    text = f"{row.symbol}: {quote}, last {f.price(row.last)}, held {f.quantity(held) if held else 'none'}, {parts}"
    return wrapped("", text, WIDTH, "muted")
