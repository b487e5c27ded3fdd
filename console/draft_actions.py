"""Actions of keys on an agent's draft: read, adopt, decline (OP-09).

None sends an order: an adopted draft is a proposal with a ticket. Only the desk in control adopts or declines.
"""

from __future__ import annotations

from console.follow_ups import FollowUps
from console.screens.desk_control import may_act
from console.screens.dialog import DialogHost
from console.screens.draft import DraftScreen, draft_in_words
from console.screens.edit import DECLINED, DeclineScreen, declining
from core.messages.commands import AdoptDraft, DeclineDraft
from core.views import DeskView, DraftRow, ProposalRow
from widgets.proposals import key_of_draft

NO_STRATEGY = "an agent drafted it; `keyturn agents pause {}` takes no more of its drafts"


class DraftActions:
    def __init__(self, behind: DialogHost, following: FollowUps) -> None:
        self.behind = behind
        self.following = following

    def open(self, view: DeskView, key: str) -> None:
        """Show all of it; any desk may read."""
        row = drafted(view, key)
        if row is not None and not self.behind.is_too_small:
            self.behind.ask(DraftScreen(self.behind, row, self._adopt, self._ask_to_decline))

    def decline(self, view: DeskView, key: str) -> None:
        row = drafted(view, key)
        if row is not None:
            self._ask_to_decline(row)

    def say_no_strategy(self, view: DeskView, key: str) -> None:
        row = drafted(view, key)
        if row is not None:
            self.behind.say(NO_STRATEGY.format(row.agent))

    def _adopt(self, row: DraftRow) -> None:
        """Make it a proposal; its ticket opens once it is staged."""

        def is_it(made: ProposalRow) -> bool:
            return made.agent == row.agent and made.quantity <= row.quantity

        self.following.wait_for_ticket(row.symbol, None, is_it)
        self.behind.handle.send(AdoptDraft(row.number, row.digest))

    def _ask_to_decline(self, row: DraftRow) -> None:
        if may_act(self.behind):
            what = f"draft of {row.agent}: {draft_in_words(row)}"
            key = key_of_draft(row)
            self.behind.ask(
                DeclineScreen(
                    self.behind,
                    what,
                    lambda view: drafted(view, key) is not None,
                    lambda reason: self._decline(row, reason),
                )
            )

    def _decline(self, row: DraftRow, reason: str) -> None:
        self.behind.handle.send(DeclineDraft(row.number, row.digest, "" if reason == DECLINED else reason))
        self.behind.step_off("proposals", key_of_draft(row))
        self.behind.say(declining(reason))


def drafted(view: DeskView, key: str) -> DraftRow | None:
    """Return the draft of a row's key; None if the key is of no draft, or it waits no more."""
    return next((row for row in view.drafts if key_of_draft(row) == key), None)
