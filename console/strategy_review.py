"""The operator's decision about a nightly evaluation: resume a strategy, adopt or decline more capital (ST-10).

Each is asked with its figures, and answered by another key than the one that asked it.
"""

from __future__ import annotations

from console.follow_ups import FollowUps
from console.screens.dialog import DialogHost
from console.screens.question import WIDTH, ArmedQuestion
from core.messages.commands import DecidePromotion, ReinstateStrategy
from core.views import DeskView, StrategyRow
from widgets.ticket import wrapped


def ask_to_reinstate(behind: DialogHost, row: StrategyRow) -> None:
    """Resume a retired or regime-paused strategy, which starts a new record."""
    name = row.strategy.upper()
    why = "; ".join(words for label, words in row.evaluation if label == "shut")
    text = f"{name} {why}. Resumed, it proposes entries again on every symbol, and is judged by its new trades."

    def resume() -> None:
        behind.handle.send(ReinstateStrategy(row.strategy))
        behind.say(f"asked {name} to go on: it proposes entries again", "warning")

    behind.ask(ArmedQuestion(behind, f"Resume {name}?", wrapped("", text, WIDTH), "resume it", resume))


def decide_promotion(behind: DialogHost, following: FollowUps, view: DeskView, key: str, *, is_adopted: bool) -> None:
    """Ask, and show the engine's answer on the last line; adopting more than is available is rejected (ST-08)."""
    row = next((row for row in view.strategies if row.key == key), None)
    if row is None:
        return
    name = row.strategy.upper()
    if not row.proposed:
        behind.say(f"nothing more is proposed for {name}: a night proposes it by its figures")
        return
    does = "adopt it" if is_adopted else "decline it"

    def decide() -> None:
        following.wait_for_word(behind.view or view, "strategy")
        behind.handle.send(DecidePromotion(row.strategy, is_adopted))
        behind.say(f"asked to {does.removesuffix(' it')} the allocation that is proposed for {name}")

    title = f"{'Adopt' if is_adopted else 'Decline'} more for {name}?"
    behind.ask(ArmedQuestion(behind, title, wrapped("", f"{row.proposed}.", WIDTH), does, decide))
