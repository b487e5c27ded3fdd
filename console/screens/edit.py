"""Change or decline what is proposed: a ticket, a working entry, a proposal (OP-03)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Self

from console.keymap import written
from console.order_form.draft import number_in
from console.screens.dialog import DialogHost
from console.screens.form import FieldsScreen, TextField
from core.model.values import Price, Quantity, plain
from core.views import DeskView, OrderRow, ProposalRow
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
        view = self.behind.view
        known = next((row for row in view.symbols if row.symbol == self.row.symbol), None) if view is not None else None
        if known is None or known.quote is None:
            return (Cell("no quote yet", "warning"),)
        quote = known.quote
        told = f"{f.price(quote.bid)} × {f.price(quote.ask)}  {f.age(quote.at, self.behind.engine_now())}"
        return (Cell("quote         ", "muted"), Cell(f"{told}  {quote.feed.value}"))


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
        lines: list[TextLine] = [(Cell("current order ", "muted"), Cell(f"{terms}{filled}"))]
        if (stop := next((leg.stop_price for leg in row.legs if leg.stop_price is not None), None)) is not None:
            another = f"{written('order.cancel')} cancels it, {written('order.new')} enters it anew"
            lines.append((Cell("stop          ", "muted"), Cell(f"{f.price(stop)} stays; another stop: {another}")))
        return lines

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

    def hear_refusal(self, words: str) -> None:
        words = words.replace("; move it to the other", "")
        super().hear_refusal(f"Not changed: {words}")


DECLINED = "declined"


def declining(reason: str) -> str:
    """Format `declined: too late` for the last line; `declined` without a reason of the operator's own."""
    return "declined" if reason == DECLINED else f"declined: {reason}"


"""The reason if none is given."""


class DeclineScreen(FieldsScreen):
    """`act` declines with the reason; `still_waits` says whether there is something to decline."""

    def __init__(
        self, behind: DialogHost, what: str, still_waits: Callable[[DeskView], bool], act: Callable[[str], None]
    ) -> None:
        super().__init__(
            behind, f"Decline ─ {what}", [TextField("Reason", "optional", takes_any_script=True)], "declines"
        )
        self.still_waits = still_waits
        self.act = act

    @classmethod
    def of_proposal(cls, behind: DialogHost, row: ProposalRow, act: Callable[[str], None]) -> Self:
        what = f"{f.purpose(row)} {f.quantity(row.quantity)} {row.symbol}"
        return cls(behind, what, lambda view: any(each.id == row.id for each in view.proposals), act)

    def update_view(self, view: DeskView, _now: datetime) -> None:
        if not self.still_waits(view) and not self.wrong:
            self.refuse("It is no longer active")

    def accept(self) -> None:
        self.dismiss()
        self.act(self.fields[0].text.strip() or DECLINED)
