"""The account's figures, whenever the broker tells them: what the day began with, what was lost, what is lent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from core.desk import Desk
from core.effects import Effect
from core.inputs import AccountFetched, PictureFetched
from core.model.account import Account
from core.model.broker import BrokerPicture
from core.model.session import Session
from core.risk.day import begun, corrected
from core.workflows.contract import answers
from core.workflows.guarding import Guarding
from core.workflows.lending import Lending


class Seeing:
    def __init__(self, desk: Desk, guarding: Guarding, lending: Lending) -> None:
        self.desk = desk
        self.guarding = guarding
        self.lending = lending

    @answers(AccountFetched)
    def on_account(self, reply: AccountFetched) -> Iterable[Effect]:
        if isinstance(reply.answer, Account):
            self._see(reply.answer)
        return ()

    @answers(PictureFetched)
    def on_picture(self, reply: PictureFetched) -> Iterable[Effect]:
        """What the broker's books say beside what is compared."""
        if isinstance(reply.answer, BrokerPicture):
            self.desk.instruments.update({i.symbol: i for i in reply.answer.instruments})
            self._see(reply.answer.account)
        return ()

    def _see(self, account: Account) -> None:
        """Keep the figures; with the first of a session's day it is known what its loss is measured against (RK-03)."""
        before, self.desk.account = self.desk.account, account
        day = self.desk.calendar.trading_day(self.desk.at)
        session = self.desk.calendar.session_on(day)
        if isinstance(session, Session):
            is_older = isinstance(before, Account) and account.at < before.at
            if self.desk.opening.opening_equity(day) is None:
                self.desk.record(begun(day, account, self.desk.calendar))
            elif self.desk.at < session.open and not is_older:
                self._correct(day, account)
        self.guarding.see_account(account)
        self.guarding.look()
        self.lending.see(account)

    def _correct(self, day: date, account: Account) -> None:
        """Until the open the broker's later word on the last close counts: it may roll late after midnight (RK-03)."""
        found = corrected(day, account, self.desk.calendar, self.desk.opening.state)
        if found is not None:
            self.desk.record(found)
            self.guarding.on_corrected(account)
