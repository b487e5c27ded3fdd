"""`n`: an order typed by hand. It becomes a proposal like any other, with a ticket and checks of its own (OP-01)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from console.keymap import KeyScope, bindings_for, written
from console.order_form import Draft, FieldFault, read_draft, read_form
from console.proposal_outcome import NO_ANSWER_YET, PATIENCE, AwaitedProposal, RefusedProposal, StagedProposal, awaited
from console.quantity_presets import preset
from console.screens.dialog_host import DialogHost
from console.screens.form import BESIDE, NOTHING, WIDTH, Form, FormField
from console.screens.quote_refresh import QuoteRefresh
from core.model.order import TYPED
from core.model.staging import MANUAL
from core.model.values import Symbol, plain
from core.views import DeskView
from widgets import format as f
from widgets.order_form import about_lines, money_lines

DEFAULTS = {"effect": "buy", "type": "limit", "lasts": "day", "holder": "broker"}
FIELDS = (
    FormField("symbol", "Symbol", ""),
    FormField("effect", "Effect", "buy or short opens, sell or cover ends"),
    FormField("quantity", "Quantity", ""),
    FormField("type", "Type", " ".join(sorted(TYPED, key=lambda word: word != DEFAULTS["type"]))),
    FormField("limit", "Limit price", "USD a share"),
    FormField("stop", "Stop price", "USD a share; limits the loss"),
    FormField("holder", "Stop held by", "broker, desk, or you"),
    FormField("lasts", "Time in force", "day, gtc, ioc; fractions are day only"),
    FormField("target", "Target price", "may be empty; whole shares only"),
    FormField("trigger", "Trigger", "of a stop entry: what starts it, USD"),
    FormField("trail", "Trailing by", "of a trailing stop: 1.50 USD, or 2 %"),
    FormField("ttl", "Cancel after", "may be empty; 90 seconds, 5m, 2h"),
)
NEEDED = frozenset({"symbol", "quantity", "limit", "trigger", "stop", "trail"})
"""Fields that are empty at first: their hint says enough until something stands there, or Enter was pressed."""


class NewOrderScreen(Form):
    """`advice` is the number of the one that filled it; None where the operator begins."""

    PLACE = KeyScope.ORDER_FORM
    NEEDS_KEY = True
    BINDINGS = bindings_for(PLACE)
    CAPITALS = frozenset({"symbol"})

    def __init__(self, behind: DialogHost, texts: Mapping[str, str] = NOTHING, advice: int | None = None) -> None:
        symbols = behind.view.symbols if behind.view is not None else ()
        only = {"symbol": symbols[0].symbol} if len(symbols) == 1 else {}
        super().__init__(
            behind, "New order ─ becomes a proposal, nothing is sent", FIELDS, {**DEFAULTS, **only, **texts}
        )
        self.advice = advice
        self._awaited: AwaitedProposal | None = None
        self._was_entered = False
        self.looking = QuoteRefresh(behind)

    def first(self) -> str:
        return "quantity" if self.inputs["symbol"].value else "symbol"

    # ── what the engine says ─────────────────────────────────────────────────────────────────────────────────────

    def update_view(self, view: DeskView, now: datetime) -> None:
        super().update_view(view, now)
        if self.is_active:
            self.looking.look(Symbol(self.inputs["symbol"].value), view)
        if self._awaited is None or not self.is_active:
            return
        match self._awaited.answer(view):
            case StagedProposal(proposal_id):
                self.dismiss()
                self.behind.open_ticket(proposal_id)
            case RefusedProposal(words, _):
                self._awaited = None
                self.answered(words, "NOT STAGED ")
            case None if self.behind.now() - self._awaited.since > PATIENCE:
                self._awaited = None
                self.answered(NO_ANSWER_YET)

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def submit(self) -> None:
        view = self.behind.view
        if view is None or self._awaited is not None:
            return
        self._was_entered = True
        order = read_form(self.texts(), view)
        if isinstance(order, FieldFault):
            label = next(field.label for field in self.fields if field.name == order.field)
            self.go_to(order.field)
            self.answered(f"{label}: {order.message}")
            return
        strategy = None if order.effect.only_reduces else MANUAL
        self._awaited = awaited(view, order.symbol, strategy, self.behind.now())
        self.behind.handle.send(replace(order, advice=self.advice))
        self.answered("staging…")

    def action_size(self, part: str) -> None:
        """A preset: it fills the quantity, and says what made it."""
        view = self.behind.view
        if view is None:
            return
        size = preset(read_draft(self.texts(), view), Decimal(part), view)
        if size.quantity is not None:
            self.inputs["quantity"].value = plain(size.quantity)
        self.answered(size.words)

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
        self.show_beside(faults, draft.doubts, {"quantity": _reading(draft, texts["quantity"])})
        self.show_alive(
            [
                *about_lines(draft.symbol, view, self.behind.engine_now(), WIDTH),
                *money_lines(draft.cost, draft.loss, draft.opens, view, WIDTH),
            ]
        )
        long = {**draft.doubts, **faults}.get(self.focused_field(), "")
        is_too_long = len(long) > BESIDE
        self.show_answer(long if is_too_long else self.keys_in_words(), "warning" if is_too_long else "muted")


def _reading(draft: Draft, text: str) -> str:
    """How many shares the dollars are; else what may be typed."""
    if text.strip().startswith("$") and draft.quantity is not None and draft.cost is not None:
        return f"{plain(draft.quantity)} shares for {f.money(draft.cost)} USD"
    keys = " ".join(written(id) for id in ("form.all", "form.half", "form.quarter"))
    return f"shares, or $50; {keys} size it"
