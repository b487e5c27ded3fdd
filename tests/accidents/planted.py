"""Rules of the ticket, of the desk in control and of the link that are taken away, to see that an accident shows it."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest

import console.arming
import console.desk
import console.row_actions
import console.screens.dialog
import console.screens.ticket
import console.terminal.input_reader
import console.terminal.scanner
from console.arming import Arming, Keyboard, ShownTicket
from console.client.access import EngineLink
from console.client.remote import RemoteEngine
from console.proposal_outcome import any_of_it
from console.screens.desk_control import KeyWatch
from console.screens.ticket import TicketScreen
from console.terminal.scanner import Scanner
from console.terminal.writer import PacedWriter
from console.ticket_status import Spelling, TypedWord
from core.messages.command_ports import Denied
from core.messages.commands import Command, Confirm
from core.runtime.service.desk_connections import EngineBooks
from core.workflows.operator.command_rights import DeskRights
from core.workflows.operator.desk_control import KeyHolding
from tests.accidents.served_house import ServedHouse

Patch = pytest.MonkeyPatch


def no_arming_time(patch: Patch) -> None:
    patch.setattr(console.screens.ticket, "OPENS_AFTER", 0.0)
    patch.setattr(console.screens.ticket, "REDUCES_AFTER", 0.0)


def no_silence(patch: Patch) -> None:
    def quiet_from(keyboard: Keyboard, key: str, _silence: float) -> float:
        return keyboard._key_at + console.arming.HELD_FOR if key.casefold() == keyboard._key else float("-inf")

    patch.setattr(Keyboard, "quiet_from", quiet_from)


def keys_of_a_stall_kept(patch: Patch) -> None:
    """What the link says of its gaps goes with it: either alone stops these keys."""
    patch.setattr(PacedWriter, "is_deaf", lambda _writer: False)
    patch.setattr(PacedWriter, "had_gap", lambda _writer, _since, _until: False)


def enter_confirms(patch: Patch) -> None:
    hear = TicketScreen.hear

    def hears(screen: TicketScreen, character: str | None, at: float) -> None:
        row = screen.standing.row
        hear(screen, row.confirming_key if character == "\r" and row is not None else character, at)

    patch.setattr(TicketScreen, "hear", hears)


def held_keys_count(patch: Patch) -> None:
    patch.setattr(console.arming, "HELD_FOR", 0.0)


def keys_in_a_row_count(patch: Patch) -> None:
    patch.setattr(console.arming, "ALONE_FOR", 0.0)


def digest_not_compared(patch: Patch) -> None:
    """The key counts for what is shown, whatever was painted."""

    def of(arming: Arming, shown: ShownTicket) -> ShownTicket:
        return arming._painted or shown

    left, take = Arming.seconds_left, Arming.take
    patch.setattr(
        Arming,
        "seconds_left",
        lambda arming, shown, key, silence, now: left(arming, of(arming, shown), key, silence, now),
    )
    patch.setattr(
        Arming, "take", lambda arming, shown, now: take(arming, arming._turned[0] if arming._turned else shown, now)
    )
    patch.setattr(Arming, "paint", paints)


def paints(arming: Arming, shown: ShownTicket, at: float) -> None:
    if arming._painted is None:
        arming._painted_at, arming._turned = at, None
    arming._painted = replace(shown)


def the_letter_of_escape_and_a_letter_confirms(patch: Patch) -> None:
    """As Textual reads it: a key with Alt, whose character is the letter."""
    patch.setattr(console.terminal.scanner, "is_joined", lambda _sequence: False)
    patch.setattr(console.terminal.input_reader, "looks_typed", lambda _key: False)
    patch.setattr(console.desk, "is_modified", lambda _key: False)


def a_letter_behind_a_cut_introducer_confirms(patch: Patch) -> None:
    """What was broken is forgotten: by the scanner, and by the arming behind it."""
    patch.setattr(Scanner, "_begin_doubt", lambda _scanner, _doubt, _broke_at: None)
    patch.setattr(console.arming, "CUT_FOR", 0.0)


def any_close_is_taken_for_half(patch: Patch) -> None:
    patch.setattr(console.row_actions, "is_close_of", lambda _shares: any_of_it)


def a_question_is_answered_at_once(patch: Patch) -> None:
    patch.setattr(console.screens.dialog, "REDUCES_AFTER", 0.0)


def a_word_is_asked_for_and_not_waited_for(patch: Patch) -> None:
    patch.setattr(Spelling, "stands", property(lambda _spelling: True))


def a_word_counts_in_any_case(patch: Patch) -> None:
    hear = TypedWord.hear
    patch.setattr(TypedWord, "hear", lambda word, key: hear(word, key.upper() if key is not None else None))


def a_word_counts_before_it_is_painted(patch: Patch) -> None:
    hear = Spelling.hear
    patch.setattr(Spelling, "hear", lambda spelling, typed, key, _is_painted: hear(spelling, typed, key, True))
    patch.setattr(TypedWord, "forget", lambda _word: None)


def a_watcher_confirms(patch: Patch) -> None:
    denial = DeskRights.denial

    def denies(rights: DeskRights, command: Command) -> Denied | None:
        return None if isinstance(command, Confirm) else denial(rights, command)

    patch.setattr(DeskRights, "denial", denies)


def a_hand_over_closes_nothing_and_confirms(patch: Patch) -> None:
    """The engine's half: the ticket of before is as good as it was."""
    a_watcher_confirms(patch)
    patch.setattr(KeyHolding, "_close_tickets", lambda _holding, _words: None)


def a_hand_over_leaves_the_ticket_armed(patch: Patch) -> None:
    """The desk that has lost the key shows it as before; the engine refuses its key."""
    patch.setattr(KeyHolding, "_close_tickets", lambda _holding, _words: None)
    patch.setattr(KeyWatch, "takes_away", lambda _watch, _needs: False)
    patch.setattr(console.screens.ticket, "holds_key", lambda _desk: True)


def armed_over_a_lost_link(patch: Patch) -> None:
    patch.setattr(EngineLink, "doubt", None)
    patch.setattr(EngineLink, "had_gap", lambda _link, _since, _until: False)


def armed_over_a_gap(patch: Patch) -> None:
    """It knows that its engine is away, and nothing of one that is only silent."""
    patch.setattr(EngineLink, "doubt", property(lambda link: link.trouble))


def presses_are_kept_until_the_link_is_back(patch: Patch) -> None:
    """And the judge does not look at what stands there: only at what comes to the engine."""
    armed_over_a_lost_link(patch)
    patch.setattr(ServedHouse, "looks_at_the_ticket", lambda _house: None)
    kept: deque[Command] = deque()
    send, welcome = RemoteEngine.send, RemoteEngine.welcome

    def sends(desk: RemoteEngine, command: Command) -> None:
        if isinstance(command, Confirm) and (desk.link.trouble is not None or desk.account is None):
            kept.append(command)
        else:
            send(desk, command)

    def welcomes(desk: RemoteEngine, *said: object) -> None:
        welcome(desk, *said)  # type: ignore[arg-type]
        desk.link.hear()
        while kept:
            send(desk, kept.popleft())

    patch.setattr(RemoteEngine, "send", sends)
    patch.setattr(RemoteEngine, "welcome", welcomes)


def no_silence_as_the_key_arrives(patch: Patch) -> None:
    patch.setattr(console.screens.ticket, "OPENS_AFTER", 0.0)
    patch.setattr(console.screens.ticket, "REDUCES_AFTER", 0.0)
    patch.setattr(console.arming.Keyboard, "quiet_from", lambda _keyboard, _key, _silence: float("-inf"))


def halts_are_the_holders_alone(patch: Patch) -> None:
    patch.setattr(EngineBooks, "press", lambda _books, _token, kills: None)
