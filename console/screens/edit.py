"""`e` on a ticket: change quantity or limit. Nothing is sent; the change gets its own ticket and review (OP-03)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from console.order_form.draft import number_in
from console.screens.dialog_host import DialogHost
from console.screens.text_fields import FieldsScreen, TextField
from core.model.values import Price, Quantity, plain
from core.views import DeskView, ProposalRow
from widgets import format as f
from widgets.lines import Cell, TextLine


class EditScreen(FieldsScreen):
    """Edit dialog over the ticket, which stays readable and is not armed.

    `act` takes the quantity, and the limit if the order has one.
    """

    def __init__(
        self, behind: DialogHost, row: ProposalRow, quantity: Quantity, act: Callable[[Quantity, Price | None], None]
    ) -> None:
        fields = [TextField("Quantity", f"shares, {plain(quantity)} now", plain(quantity))]
        if row.type.rests and row.limit_price is not None:
            now = f"USD a share, {f.price(row.limit_price)} now"
            fields.append(TextField("Limit price", now, plain(row.limit_price)))
        title = f"Edit ─ {f.doing(row.side, row.effect)} ─ {row.symbol}"
        super().__init__(behind, title, fields, "makes a new ticket")
        self.row = row
        self.before = quantity
        self.act = act

    def update_view(self, _view: DeskView, _now: datetime) -> None:
        self.draw()

    def preview(self) -> list[TextLine]:
        quantity, *limits = self._values()
        limit, stop = limits[0] if limits else None, self.row.stop_price
        lines = [self._quote()]
        if quantity is None or limit is None:
            return lines
        lost, of = "", self.row.instrument
        if stop is not None and not self.row.effect.only_reduces:
            lost = f", {f.money(of.risk(quantity, abs(limit - stop)))} USD lost at the stop {f.price(stop)}"
        worth = Cell(f"{f.money(of.cost(quantity, limit))} USD{lost}")
        return [*lines, (Cell("it would be   ", "muted"), worth)]

    def accept(self) -> None:
        quantity, *limits = self._values()
        if quantity is None:
            self.refuse("Quantity: shares, a number above zero")
        elif limits and limits[0] is None:
            self.refuse("Limit price: USD for one share, above zero")
        elif quantity == self.before and limits in ([], [self.row.limit_price]):
            self.refuse("this is the order as it is; Esc goes back to its ticket")
        else:
            self.dismiss()
            self.act(Quantity(quantity), Price(limits[0]) if limits and limits[0] is not None else None)

    def _values(self) -> list[Decimal | None]:
        return [number_in(field.text) for field in self.fields]

    def _quote(self) -> TextLine:
        """Return the latest quote."""
        view = self.behind.view
        known = next((row for row in view.symbols if row.symbol == self.row.symbol), None) if view is not None else None
        if known is None or known.quote is None:
            return (Cell("no quote yet", "warning"),)
        quote = known.quote
        told = f"{f.price(quote.bid)} × {f.price(quote.ask)}  {f.age(quote.at, self.behind.engine_now())}"
        return (Cell("quote         ", "muted"), Cell(f"{told}  {quote.feed.value}"))
