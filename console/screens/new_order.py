"""`n`: a manual order, a proposal like any other with its own ticket and checks (OP-01); text under its fields."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from textual import events
from textual.await_complete import AwaitComplete

from console.keymap import KeyScope, bindings_for, written
from console.order_form.draft import CHOICES, ORDER, Draft, FieldFault
from console.order_form.prefill import ASKS_QUOTE, DEFAULTS, FILLED, NUMBERS, KeptOrder, Offers, Way
from console.order_form.reading import read_draft, read_form
from console.proposal_outcome import NO_ANSWER_YET, TIMEOUT, AwaitedProposal, RefusedProposal, StagedProposal, awaited
from console.screens.dialog import DialogHost
from console.screens.find_symbol import FindSymbolScreen, QuoteRefresh
from console.screens.form import BESIDE, FIRST_KEYS, MOVES, NOTHING, WIDTH, Form, FormField
from console.screens.new_order_keys import PRICES, FieldActs, OrderKeys, keys_of
from core.model.staging import MANUAL
from core.model.values import Symbol, plain
from core.views import DeskView, SymbolView
from widgets import format as f
from widgets.lines import Cell, TextLine, Tone
from widgets.pane import put_title
from widgets.ticket_text import wrapped

NOT_LISTED = "it is not in the broker's list: it cannot be bought here"


def about_lines(row: SymbolView | None, view: DeskView, now: datetime, width: int) -> list[TextLine]:
    """Describe the symbol: quote and last price with ages, positions in it, and why it may not be opened."""
    if row is None:
        return wrapped("", "not looked up yet: wait a moment", width, "muted")
    held = [
        f"{f.quantity(position.quantity)} by {position.strategy} at {f.price(position.average_price)}"
        for position in view.positions
        if position.symbol == row.symbol
    ]
    lines = [_prices(row, now), *wrapped("held   ", f"{', '.join(held) or 'none'}; {_terms(row)}", width)]
    if row.is_listed is False:
        lines[1:] = wrapped("held   ", f"{', '.join(held) or 'none'}; {NOT_LISTED}", width, "warning")
    refused = view.status.entries_refused
    if refused is not None:
        lines += wrapped("ENTRIES OFF  ", refused, width, "warning")
    return lines


def _terms(row: SymbolView) -> str:
    """Describe how the symbol trades according to the broker."""
    if not row.is_described:
        return "the broker has not said yet how it trades"
    trades = "fractionable" if row.is_fractionable else "whole shares only"
    return f"{trades}, {'shortable' if row.short_refused is None else f'no short: {row.short_refused}'}"


def _prices(row: SymbolView, now: datetime) -> TextLine:
    quote = row.quote
    told = (
        f"{f.price(quote.bid)} × {f.price(quote.ask)} USD  {f.age(quote.at, now):>5}  {quote.feed.value}"
        if quote is not None
        else "no quote yet"
    )
    is_stale = quote is not None and now - quote.at > f.STALE_AFTER
    last = f"   last {f.at_tick(row.last)}, {f.age(row.last_at, now)} old" if row.last and row.last_at else ""
    return (Cell(f"{row.symbol:<7}", "strong"), Cell(told, "warning" if is_stale or quote is None else ""), Cell(last))


def money_lines(
    cost: Decimal | None,
    loss: Decimal | None,
    opens: bool,
    view: DeskView,
    width: int,
    gain: Decimal | None = None,
) -> list[TextLine]:
    """Return the order's value, possible loss and gain, and the buying power before and after."""
    status = view.status
    power = f"buying power {f.money(status.buying_power)} USD"
    tone: Tone = ""
    if opens and cost is not None and status.buying_power is not None:
        after = status.buying_power - cost
        power += f", after this order {f.money(after) if after >= 0 else f.signed(after)} USD"
        tone = "warning" if after < 0 else ""
    lines = wrapped("", power, width, tone)
    if cost is None:
        return lines
    share = f", {f.percent(cost / status.equity)} of equity" if opens and status.equity else ""
    lost = f", loses {f.money(loss)} USD at the stop" if loss is not None else ""
    made = f", gains {f.money(gain)} USD at the target" if gain is not None else ""
    return [*wrapped("order  ", f"{f.money(cost)} USD{share}{lost}{made}", width), *lines]


FIELDS = (
    FormField("symbol", "Symbol", ""),
    FormField("effect", "Effect", "buy/short opens, sell/cover closes"),
    FormField("quantity", "Quantity", ""),
    FormField("type", "Type", " ".join(CHOICES["type"])),
    FormField("limit", "Limit price", "USD a share"),
    FormField("stop", "Stop price", "USD a share, or 1%, 1.5atr"),
    FormField("holder", "Stop held by", "broker, desk; you: no stop order placed"),
    FormField("lasts", "Time in force", "day, gtc, ioc; fractions are day only"),
    FormField("target", "Target price", "optional: a price, 2%, 3atr or 2r"),
    FormField("trigger", "Trigger", "of a stop entry: what starts it, USD"),
    FormField("trail", "Trailing by", "of a trailing stop: 1.50 USD, or 2 %"),
    FormField("ttl", "Cancel after", "optional: 90s, 5m, 2h"),
)
TITLE = "New order"
NOTHING_SENT = "a proposal, nothing is sent"
NEEDED = frozenset({"symbol", "quantity", "limit", "trigger", "stop", "trail"})
"""Fields that start empty: they show their hint until they have text or Enter is pressed."""


class NewOrderScreen(Form):
    """The form for a new order on `symbol`; `texts` prefill it from another order, and `advice` is its number."""

    PLACE = KeyScope.ORDER_FORM
    NEEDS_KEY = True
    BINDINGS = bindings_for(PLACE)
    CAPITALS = frozenset({"symbol"})

    def __init__(
        self,
        behind: DialogHost,
        texts: Mapping[str, str] = NOTHING,
        symbol: Symbol | None = None,
    ) -> None:
        self.opened_on = symbol or Symbol(texts.get("symbol", ""))
        self.draft = None if texts else behind.forms.kept.of(self.opened_on)
        typed = texts if self.draft is None else self.draft.texts
        super().__init__(behind, TITLE, FIELDS, {**DEFAULTS, "symbol": self.opened_on, **typed})
        way = self.draft.way if self.draft is not None else Way.RISK
        self.offers = Offers(behind.forms.presets.each[0], typed, way)
        self.acts_of_fields = FieldActs(self)
        self.order_keys = OrderKeys(self.acts_of_fields)
        self._awaited: AwaitedProposal | None = None
        self._was_entered = False
        self._refused: tuple[dict[str, str], str] | None = None
        """The texts that were refused, and the field at fault; "" if the engine refused them."""
        self.was_edited = False
        self._is_staged = False
        self.looking = QuoteRefresh(behind)
        self._about = NOTHING_SENT
        self._is_draft = False

    def first(self) -> str:
        return "quantity"

    def prepare(self) -> None:
        self.fill(asks_quote=True)
        if self.draft is not None:
            sent = ", Enter was pressed: see Proposals" if self.draft.was_sent else ""
            self._is_draft = True
            self._about = f"DRAFT of {f.clock(self.draft.at)}{sent} ─ {written('form.clear')} twice clears it"
            self._entitle()

    def _entitle(self) -> None:
        """Name the symbol, and the key for another one, in the title."""
        symbol = self.inputs["symbol"].value
        whose = f"{TITLE} for {symbol}" if symbol else f"{TITLE}, no symbol yet"
        other = f"{written('form.symbol')} {'changes' if symbol else 'finds'} the symbol"
        put_title(self.box, " ─ ".join((whose, *(() if self._is_draft else (other,)), self._about)))

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close, and keep the typed texts as a draft, without those that were refused and not changed."""
        self._keep_draft()
        return super().dismiss(result)

    def _keep_draft(self) -> None:
        texts = self.texts()
        self.offers.note(texts)
        kept = self.behind.forms.kept
        at_fault = self._refused[1] if self._refused is not None and texts == self._refused[0] else None
        if self._is_staged or at_fault == "":
            kept.drop(self.opened_on)
            kept.drop(texts["symbol"])
        elif self.was_edited:
            is_known = (
                any(row.symbol == texts["symbol"] for row in self.behind.view.symbols) if self.behind.view else False
            )
            typed = {
                name: text
                for name, text in texts.items()
                if name != at_fault
                and (self.offers.is_typed(name) if name in FILLED else text != DEFAULTS.get(name, ""))
            }
            is_free = is_known and kept.of(texts["symbol"]) is None
            place = texts["symbol"] if is_free else self.opened_on
            at, was_sent = self.behind.engine_now(), self._awaited is not None
            kept.keep(place, KeptOrder(typed, self.offers.way, at, was_sent))

    # ── views ────────────────────────────────────────────────────────────────────────────────────────────────────

    def update_view(self, view: DeskView, now: datetime) -> None:
        if self.is_active and self._awaited is None and self.offers.wants_quote(self.texts()):
            self.fill(asks_quote=True)
        super().update_view(view, now)
        if self.is_active:
            self.looking.look(Symbol(self.inputs["symbol"].value), view)
        if self._awaited is None or not self.is_active:
            return
        match self._awaited.answer(view):
            case StagedProposal(proposal_id):
                self._is_staged = True
                self.dismiss()
                self.behind.open_ticket(proposal_id)
            case RefusedProposal(words, _):
                self._awaited = None
                self._refused = self.texts(), ""
                self.answered(words, "NOT STAGED ")
            case None if self.behind.now() - self._awaited.since > TIMEOUT:
                self._awaited = None
                self.answered(NO_ANSWER_YET)

    def fill(self, *, asks_quote: bool) -> None:
        """Fill fields that the operator did not edit from the settings and the quote."""
        view = self.behind.view
        if view is None:
            return
        changes = self.offers.fill(self.texts(), view, self.behind.engine_now(), asks_quote=asks_quote)
        for name, text in changes.items():
            self.put(name, text)

    def put(self, field: str, text: str) -> None:
        """Set a field; the text of a focused field is selected, so that typing replaces it."""
        box = self.inputs[field]
        box.value = text
        if box is self.focused:
            box.action_select_all()

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, event: events.Key) -> bool:
        if event.key in FIRST_KEYS or not self.is_mounted:
            return super().take(event)
        before = self.texts()
        self.offers.follows = False
        if event.key in MOVES:
            self.acts_of_fields.begin_word()
        taken = super().take(event)
        self._edited(before)
        return taken

    def _edited(self, before: Mapping[str, str]) -> None:
        """Update dependent fields: another symbol has another quote, another stop another size."""
        texts = self.texts()
        changed = {name for name in texts if texts[name] != before[name]}
        if changed and not self.offers.follows:
            self.was_edited = True
            self.fill(asks_quote=bool(changed & ASKS_QUOTE))

    def search_symbol(self) -> None:
        self.behind.ask(FindSymbolScreen(self.behind, self.take_symbol))

    def take_symbol(self, symbol: Symbol) -> None:
        """Set the symbol as if it was typed; the focus stays."""
        before = self.texts()
        self.offers.follows = False
        self.inputs["symbol"].value = symbol
        self._edited(before)

    def open_help(self) -> None:
        self.call_later(self.app.run_action, "help")

    def acts(self, field: str, event: events.Key) -> bool:
        return self.order_keys.act(field, event)

    def may_type(self, field: str, character: str) -> bool:
        return self.order_keys.may_type(field, character)

    def has_all_selected(self, field: str) -> bool:
        box = self.inputs[field]
        return bool(box.value) and sorted(box.selection) == [0, len(box.value)]

    def pages_by_key(self) -> bool:
        return self.focused_field() not in PRICES or self.is_read_in_pages()

    def is_read_in_pages(self) -> bool:
        """Whether the reasons of a refusal need several pages, which use the same keys."""
        return bool(self._answer.label) and self.is_paged

    def clear(self) -> None:
        """Reset the form to its initial state on this symbol."""
        self.behind.forms.kept.drop(self.opened_on)
        self.behind.forms.kept.drop(self.inputs["symbol"].value)
        self.offers = Offers(self.behind.forms.presets.each[0])
        for name in ORDER:
            if name != "symbol":
                self.put(name, DEFAULTS.get(name, ""))
        self.fill(asks_quote=True)
        self.was_edited = False
        self._is_draft = False
        self._about = NOTHING_SENT
        self._entitle()
        self.answered("cleared: the form is as it opens")

    def submit(self) -> None:
        view = self.behind.view
        if view is None or self._awaited is not None:
            return
        self._was_entered = True
        order = read_form(self.texts(), view)
        if isinstance(order, FieldFault):
            at = "limit" if order.field == "quantity" and self._why_empty("limit") else order.field
            label = next(field.label for field in self.fields if field.name == at)
            self.go_to(at)
            self._refused = self.texts(), order.field
            self.answered(f"{label}: {self._why_empty(at) or order.message}")
            return
        strategy = None if order.effect.only_reduces else MANUAL
        self._awaited = awaited(view, order.symbol, strategy, self.behind.now())
        self.behind.handle.send(order)
        self.answered("staging…")

    def _why_empty(self, field: str) -> str:
        offer = self.offers.of(field)
        return offer.words if offer is not None and not offer.text and not self.inputs[field].value else ""

    # ── content ──────────────────────────────────────────────────────────────────────────────────────────────────

    def describe(self) -> None:
        view = self.behind.view
        if view is None:
            return
        texts = self.texts()
        self._entitle()
        self.offers.note(texts)
        draft = read_draft(texts, view)
        faults = {
            name: self._why_empty(name) or words
            for name, words in draft.faults.items()
            if self._was_entered or texts[name] or name not in NEEDED or self._why_empty(name)
        }
        readings = self._readings(draft, texts)
        for name in FILLED:
            self.inputs[name].set_class(self._is_offered(name), "-prefilled")
        self.show_beside(faults, draft.doubts, readings)
        self.show_alive(
            [
                *about_lines(draft.symbol, view, self.behind.engine_now(), WIDTH),
                *money_lines(draft.cost, draft.loss, draft.opens, view, WIDTH, gain=draft.gain),
            ]
        )
        here = self.focused_field()
        wrong = {**draft.doubts, **faults}.get(here, "")
        is_too_long = len(wrong) > BESIDE
        self.show_answer(wrong if is_too_long else keys_of(here), "warning" if is_too_long else "muted")

    def _is_offered(self, field: str) -> bool:
        offer = self.offers.of(field)
        return offer is not None and bool(offer.text) and field != "effect"

    def _readings(self, draft: Draft, texts: Mapping[str, str]) -> dict[str, str]:
        """Return the interpretation of each text, and whether the desk filled it in."""
        readings = {"quantity": _reading(draft, texts["quantity"]), **draft.readings}
        for name in NUMBERS:
            offer = self.offers.of(name)
            if offer is None or not offer.words:
                continue
            words = draft.readings.get(name) or offer.words
            if name == "limit" and draft.touch not in (None, draft.limit):
                words = f"was {words}; now {f.at_tick(draft.touch)}"
            readings[name] = f"prefilled, {words}" if offer.text else words
        return readings


def _reading(draft: Draft, text: str) -> str:
    """Return the number of shares for a dollar amount, else the valid input."""
    if text.strip().startswith("$") and draft.quantity is not None and draft.cost is not None:
        return f"{plain(draft.quantity)} shares for {f.money(draft.cost)} USD"
    keys = " ".join(written(id) for id in ("form.way", "form.all", "form.half", "form.quarter"))
    return f"shares, or $50; {keys} size it"
