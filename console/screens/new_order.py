"""`n`: an order typed by hand. It becomes a proposal like any other, with a ticket and checks of its own (OP-01)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from console.awaited import PATIENCE, Awaited, NotStaged, Staged, awaited
from console.keymap import Place, bindings_for
from console.order_form import Draft, Fault, read_draft, read_form
from console.presets import preset
from console.screens.behind import Behind
from console.screens.form import BESIDE, WIDTH, Field, Form
from core.model.staging import MANUAL
from core.model.values import plain
from core.views import DeskView
from widgets import format as f
from widgets.order_form import about_lines, money_lines

FIELDS = (
    Field("symbol", "Symbol", ""),
    Field("effect", "Effect", "buy or short opens, sell or cover ends"),
    Field("quantity", "Quantity", "shares, or $50; F2 F3 F4 size it"),
    Field("type", "Type", "limit, market; stop only closes"),
    Field("limit", "Limit price", "USD a share"),
    Field("stop", "Stop price", "USD a share; limits the loss"),
    Field("holder", "Stop held by", "broker, desk, or you"),
    Field("lasts", "Lasts", "day, gtc, ioc; fractions are day only"),
)
DEFAULTS = {"effect": "buy", "type": "limit", "lasts": "day", "holder": "broker"}
NEEDED = frozenset({"symbol", "quantity", "limit", "stop"})
"""Fields that are empty at first: their hint says enough until something stands there, or Enter was pressed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the last line says of an act; of the fields as they were, where `texts` holds them, and else until the next.

    So a refusal's reasons stay while what they refused is mended.
    """

    label: str
    text: str
    texts: dict[str, str] | None


class NewOrderScreen(Form):
    PLACE = Place.ORDER_FORM
    BINDINGS = bindings_for(PLACE)
    CAPITALS = frozenset({"symbol"})

    def __init__(self, behind: Behind) -> None:
        symbols = behind.view.symbols if behind.view is not None else ()
        only = {"symbol": symbols[0].symbol} if len(symbols) == 1 else {}
        super().__init__(behind, "New order ─ becomes a proposal, nothing is sent", FIELDS, {**DEFAULTS, **only})
        self._awaited: Awaited | None = None
        self._was_entered = False
        self._answer = Answer("", "", None)

    def first(self) -> str:
        return "quantity" if self.inputs["symbol"].value else "symbol"

    # ── what the engine says ─────────────────────────────────────────────────────────────────────────────────────

    def update_view(self, view: DeskView, now: datetime) -> None:
        super().update_view(view, now)
        if self._awaited is None or not self.is_active:
            return
        match self._awaited.answer(view):
            case Staged(proposal_id):
                self.dismiss()
                self.behind.open_ticket(proposal_id)
            case NotStaged(reason):
                self._awaited = None
                self._answered(reason.partition("not staged: ")[2] or reason, "NOT STAGED ")
            case None if self.behind.now() - self._awaited.since > PATIENCE:
                self._awaited = None
                self._answered("no answer; nothing was staged")

    def _answered(self, text: str, label: str = "") -> None:
        self._answer = Answer(label, text, None if label else self.texts())
        self.describe()

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def submit(self) -> None:
        view = self.behind.view
        if view is None or self._awaited is not None:
            return
        self._was_entered = True
        order = read_form(self.texts(), view)
        if isinstance(order, Fault):
            label = next(field.label for field in self.fields if field.name == order.field)
            self.go_to(order.field)
            self._answered(f"{label}: {order.message}")
            return
        strategy = None if order.effect.only_reduces else MANUAL
        self._awaited = awaited(view, order.symbol, strategy, self.behind.now())
        self.behind.handle.send(order)
        self._answered("staging…")

    def action_size(self, part: str) -> None:
        """A preset: it fills the quantity, and says what made it."""
        view = self.behind.view
        if view is None:
            return
        size = preset(read_draft(self.texts(), view), Decimal(part), view)
        if size.quantity is not None:
            self.inputs["quantity"].value = plain(size.quantity)
        self._answered(size.words)

    # ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────

    def describe(self) -> None:
        view = self.behind.view
        if view is None:
            return
        texts = self.texts()
        draft = read_draft(texts, view)
        faults = {
            name: words
            for name, words in draft.faults.items()
            if self._was_entered or texts[name] or name not in NEEDED
        }
        self.show_beside(faults, draft.doubts, _readings(draft, texts))
        self.show_alive(
            [
                *about_lines(draft.symbol, view, self.behind.engine_now(), WIDTH),
                *money_lines(draft.cost, draft.loss, draft.opens, view, WIDTH),
            ]
        )
        self._draw_answer(texts, {**draft.doubts, **faults})

    def _draw_answer(self, texts: dict[str, str], notes: dict[str, str]) -> None:
        """What the last act brought; else all of what is too long to stand beside the field; else the keys."""
        answer, long = self._answer, notes.get(self.focused_field(), "")
        if answer.text and answer.texts in (None, texts):
            self.say(answer.text, "warning", answer.label)
        elif len(long) > BESIDE:
            self.say(long, "warning")
        else:
            self.say(self.keys_in_words())


def _readings(draft: Draft, texts: dict[str, str]) -> dict[str, str]:
    """How many shares the dollars are."""
    is_dollars = texts["quantity"].strip().startswith("$")
    if not is_dollars or draft.quantity is None or draft.cost is None:
        return {}
    return {"quantity": f"{plain(draft.quantity)} shares for {f.money(draft.cost)} USD"}
