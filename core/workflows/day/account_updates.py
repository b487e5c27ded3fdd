"""Handle account updates: the day's opening figures, losses and margin."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from core.messages.effects import Effect
from core.messages.inputs import AccountFetched, PictureFetched
from core.model.account import Account
from core.model.broker import BrokerPicture
from core.model.session import Session
from core.risk.day import begun, corrected
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers
from core.workflows.protection.margin_monitor import MarginMonitor
from core.workflows.protection.protections import ProtectionEvents


class AccountUpdates:
    def __init__(self, state: TradingState, protection_events: ProtectionEvents, margin_monitor: MarginMonitor) -> None:
        self.state = state
        self.protection_events = protection_events
        self.margin_monitor = margin_monitor

    @answers(AccountFetched)
    def on_account(self, reply: AccountFetched) -> Iterable[Effect]:
        if isinstance(reply.answer, Account):
            self._see(reply.answer)
        return ()

    @answers(PictureFetched)
    def on_picture(self, reply: PictureFetched) -> Iterable[Effect]:
        """Take the instruments and the account from the broker's books."""
        if isinstance(reply.answer, BrokerPicture):
            self.state.sightings.instruments.update({i.symbol: i for i in reply.answer.instruments})
            self._see(reply.answer.account)
        return ()

    def _see(self, account: Account) -> None:
        """Keep the figures; the first of a session's day fix the reference for its loss (RK-03)."""
        before, self.state.sightings.account = self.state.sightings.account, account
        day = self.state.calendar.trading_day(self.state.at)
        session = self.state.calendar.session_on(day)
        if isinstance(session, Session):
            is_older = isinstance(before, Account) and account.at < before.at
            if self.state.opening.opening_equity(day) is None:
                self.state.record(begun(day, account, self.state.calendar))
            elif self.state.at < session.open and not is_older:
                self._correct(day, account)
        self.protection_events.see_account(account)
        self.protection_events.look()
        self.margin_monitor.see(account)

    def _correct(self, day: date, account: Account) -> None:
        """Accept the broker's later report of the last close until the open: it may roll after midnight (RK-03)."""
        found = corrected(day, account, self.state.calendar, self.state.opening.state)
        if found is not None:
            self.state.record(found)
            self.protection_events.on_corrected(account)
