"""`e`: change quantity or limit of a working entry. The replacement is staged and gets its own ticket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from console.order_form.draft import number_in
from console.screens.dialog_host import DialogHost
from console.screens.text_fields import FieldsScreen, TextField
from core.model.values import Price, Quantity, plain
from core.views import DeskView, OrderRow
from widgets import format as f
from widgets.lines import Cell, TextLine


class EditOrderScreen(FieldsScreen):
    """`act` stages the replacement: quantity, and limit if it has one."""

    def __init__(self, behind: DialogHost, row: OrderRow, act: Callable[[Quantity, Price | None], None]) -> None:
        fields = [TextField("Quantity", "shares", plain(row.quantity))]
        if row.type.rests and row.limit_price is not None:
            fields.append(TextField("Limit price", "USD a share", plain(row.limit_price)))
        title = f"Edit ─ {f.doing(row.side, row.effect)} {row.symbol}"
        super().__init__(behind, title, fields, "stages the replacement")
        self.row = row
        self.act = act

    def update_view(self, view: DeskView, _now: datetime) -> None:
        self.row = next((row for row in view.orders if row.id == self.row.id), self.row)
        self.draw()

    def preview(self) -> list[TextLine]:
        row = self.row
        if not row.status.is_working:
            return [(Cell(f"this order is {row.status.value} already", "warning"),)]
        terms = f"{f.quantity(row.quantity)} {row.symbol} {f.terms(row.terms)}"
        filled = f", {plain(row.filled_quantity)} filled" if row.filled_quantity else ""
        return [(Cell("works now     ", "muted"), Cell(f"{terms}{filled}"))]

    def accept(self) -> None:
        row = self.row
        quantity = number_in(self.fields[0].text)
        limit = number_in(self.fields[1].text) if len(self.fields) > 1 else None
        if not row.status.is_working:
            self.dismiss()
        elif quantity is None:
            self.refuse("Quantity: shares, a number above zero")
        elif len(self.fields) > 1 and limit is None:
            self.refuse("Limit price: USD for one share, above zero")
        elif quantity == row.quantity and limit == row.limit_price:
            self.refuse("nothing is changed yet")
        else:
            self.act(Quantity(quantity), Price(limit) if limit is not None else None)
