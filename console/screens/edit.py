"""`e` on a ticket: another quantity or limit. Nothing is sent: it gets a ticket and a review of its own (OP-03)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from console.keymap import Place, bindings_for
from console.order_form import read_number
from console.screens.behind import Behind
from console.screens.form import WIDTH, Field, Form
from core.model.order import OrderType
from core.model.values import Price, Quantity, plain
from core.views import ProposalRow
from widgets import format as f
from widgets.lines import Cell, TextLine
from widgets.ticket import wrapped


class EditScreen(Form):
    """Over the ticket, which can be read under it and is not armed."""

    CSS = """
    EditScreen { align: center top; }
    EditScreen .form { margin-top: 2; }
    """
    PLACE = Place.TICKET_FORM
    BINDINGS = bindings_for(PLACE)

    def __init__(
        self, behind: Behind, row: ProposalRow, quantity: Quantity, act: Callable[[Quantity, Price | None], None]
    ) -> None:
        fields = [Field("quantity", "Quantity", f"shares, {plain(quantity)} now")]
        texts = {"quantity": plain(quantity)}
        if row.type is OrderType.LIMIT and row.limit_price is not None:
            fields.append(Field("limit", "Limit price", f"USD a share, {f.price(row.limit_price)} now"))
            texts["limit"] = plain(row.limit_price)
        super().__init__(behind, f"Edit ─ {f.purpose(row)} ─ {row.symbol}", fields, texts)
        self.row = row
        self.before = quantity
        self.act = act

    def describe(self) -> None:
        values = self._values()
        faults = {name: self._fault(name) for name, value in values.items() if value is None}
        self.show_beside(faults)
        self.show_alive([*self._quote(), *self._figures(values)])
        self.show_answer(f"a new ticket, with a review of its own.  {self.keys_in_words()}")

    def submit(self) -> None:
        values = self._values()
        wrong = next((name for name, value in values.items() if value is None), None)
        if wrong is not None:
            self.go_to(wrong)
            self.answered(self._fault(wrong))
            return
        quantity, limit = values["quantity"], values.get("limit")
        if quantity is None or (quantity, limit) == (self.before, self.row.limit_price):
            self.answered("this is the order as it is; Esc goes back to its ticket")
            return
        self.dismiss()
        self.act(Quantity(quantity), None if limit is None else Price(limit))

    def _values(self) -> dict[str, Decimal | None]:
        return {name: read_number(text.strip()) for name, text in self.texts().items()}

    def _fault(self, name: str) -> str:
        return "shares, a number above zero" if name == "quantity" else "USD for one share, above zero"

    def _quote(self) -> list[TextLine]:
        view = self.behind.view
        known = next((row for row in view.symbols if row.symbol == self.row.symbol), None) if view is not None else None
        if known is None or known.quote is None:
            return [(Cell("no quote yet", "warning"),)]
        quote = known.quote
        age = f.age(quote.at, self.behind.engine_now())
        return wrapped("quote  ", f"{f.price(quote.bid)} × {f.price(quote.ask)}  {age}  {quote.feed.value}", WIDTH)

    def _figures(self, values: dict[str, Decimal | None]) -> list[TextLine]:
        """What it would cost, and lose at the stop that stays."""
        quantity, limit, stop = values["quantity"], values.get("limit"), self.row.stop_price
        if quantity is None or limit is None:
            return [(Cell("its worth is known with its price", "muted"),)]
        lost = ""
        if stop is not None and not self.row.effect.only_reduces:
            lost = f", {f.money(abs(limit - stop) * quantity)} USD lost at the stop {f.price(stop)}"
        return wrapped("it would be ", f"{f.money(quantity * limit)} USD{lost}", WIDTH)
