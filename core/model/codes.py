"""Codes for decisions: why something ended, was cancelled or was refused (SP-07).

Each is in its fact beside the text for people. The text may change at any time; a code keeps its meaning for ever.
Records from before there were codes are read through `core.facts.registry`.
"""

from __future__ import annotations

from enum import Enum, StrEnum


class EndCode(Enum):
    """How an order ended, if its state does not tell."""

    AS_ITS_STATE_SAYS = "as_its_state_says"
    REPLACED = "replaced"
    """Replaced by another, by the broker's report."""
    NEVER_ARRIVED = "never_arrived"
    """The broker, after repeated look-ups, never had it (EX-06)."""
    FILLED_SHORT = "filled_short"
    """The broker reports it as filled, but its figures show an unfilled part (EX-05)."""
    REJECTED_LATER = "rejected_later"
    """The broker rejected the rest after a partial fill (EX-05)."""
    LOST_THERE = "lost_there"
    """The broker had it, and, after repeated look-ups, no longer knows it (EX-06)."""
    ID_TAKEN = "id_taken"
    """The broker has another order with its id: it took that one before this one was confirmed (EX-24)."""
    SENT_AGAIN = "sent_again"
    """The same, and the exit was sent again under a new id (EX-24)."""


class CancelCode(Enum):
    """Why an order is cancelled."""

    OTHER = "other"
    OPERATOR = "operator"
    KILLED = "killed"
    MAKES_WAY = "makes_way"
    """An exit of the same shares needs them (EX-21)."""
    EXCHANGED = "exchanged"
    """Another stop, or a target with its stop, takes its place: nothing is closed (EX-21)."""
    TOO_MUCH = "too_much"
    """Its quantity exceeds the position (EX-13)."""
    NONE_AT_THE_BROKER = "none_at_the_broker"
    """The broker's books show no such position to close."""
    FLAT = "flat"
    """Its position is closed."""
    OUTLIVED = "outlived"
    """Its time to live has passed (EX-07)."""
    WARNING = "warning"
    """The broker's warning was not confirmed in time (OP-11)."""
    FLATTENED = "flattened"
    """All positions are being closed (EX-10)."""
    REAPPEARED = "reappeared"
    """It had ended, but works at the broker."""
    ORPHANED = "orphaned"
    """The order that it was made with has ended."""
    FILLED_FURTHER = "filled_further"
    """The order that it replaces filled further meanwhile."""
    UNATTENDED = "unattended"
    """No desk was attended for as long as it may rest then (RK-27)."""
    REPEATED = "repeated"
    """Its strategy filled entries, or had its stop renewed, too often within minutes (RK-24)."""
    LISTED = "listed"
    """Its symbol was put on a list that blocks entries (RK-26)."""
    SPLIT = "split"
    """Its prices are of shares from before a split (EX-25)."""


CUT = frozenset({CancelCode.TOO_MUCH, CancelCode.NONE_AT_THE_BROKER})
"""An exit with too large a quantity: shares that are still held after all are owed their stop."""
MADE_WAY = frozenset({CancelCode.MAKES_WAY, CancelCode.EXCHANGED})
"""It was cancelled for another order of the same shares: it goes back if that one fails."""
BY_A_PERSON = frozenset({CancelCode.OPERATOR, CancelCode.KILLED})
"""A stop cancelled for one of these is no longer owed."""


class BlockCode(Enum):
    """Why a recorded order was never sent."""

    OTHER = "other"
    TAKEN_BACK = "taken_back"
    LAPSED = "lapsed"
    """Its permission had expired when its turn came."""
    LEFT = "left"
    """The desk stopped first, and its kept order is not sent any more (EX-22)."""
    LIMITED = "limited"
    """The broker accepted no requests when it was sent, and it is not sent again (RK-24)."""
    LOST = "lost"
    """It was sent, the broker does not have it, and it is not sent again (EX-22)."""


class AuthorizationCode(Enum):
    """Why an authorization has nothing left to permit."""

    OTHER = "other"
    SOLD = "sold"
    NOTHING_LEFT = "nothing_left"
    STAYED = "stayed"
    """The stop to restore was never cancelled."""
    NOT_IN_TIME = "not_in_time"
    """A close: the blocking stop was not cancelled in time, and nothing was sold."""
    NOT_THROUGH = "not_through"
    """A close: its order ended before all of it was filled."""
    CANCELLED = "cancelled"
    """A close: the operator cancelled its order before all of it was filled."""
    DISPLACED = "displaced"
    """Another close took its place."""
    REFUSED = "refused"
    """The order to send differs from the confirmed one, or its time had expired; or the broker would not accept it."""
    ASKED_AGAIN = "asked_again"
    NOT_ASKED_AGAIN = "not_asked_again"
    """The cancelled stop could not be staged again."""
    WAITS_FOR_KEY = "waits_for_key"
    DECLINED = "declined"
    TAKEN_BACK = "taken_back"


FAILED_CLOSES = frozenset({AuthorizationCode.NOT_IN_TIME, AuthorizationCode.NOT_THROUGH, AuthorizationCode.REFUSED})
"""The position is still there, and the operator is notified."""


class GuardCode(Enum):
    """Why a stop, or an exit, is staged for unprotected shares."""

    BY_HAND = "by_hand"
    WITH_ITS_DAY = "with_its_day"
    """The previous one ended with its day."""
    PERMITTED_NO_MORE = "permitted_no_more"
    """It is owed, and its confirmation has ended."""
    NOT_THERE = "not_there"
    """It never reached the broker."""
    REFUSED = "refused"
    KEPT_BACK = "kept_back"
    """It was blocked before it was sent."""
    LEFT = "left"
    """It was not sent before the desk stopped (EX-22)."""
    LIMITED = "limited"
    """The broker accepted no requests when it was sent (RK-24)."""
    FAILED = "failed"
    """The desk failed before sending it."""
    EXIT_WITH_ITS_DAY = "exit_with_its_day"
    """An exit ended with its day before it had sold all."""


class RefusalKind(Enum):
    """The broker's reason for refusing an order or its cancel. Each broker's own codes are in its package."""

    OTHER = "other"
    """A reason that has no name here."""
    UNPROCESSABLE = "unprocessable"
    """The broker does not accept its terms."""
    NOT_TRADABLE = "not_tradable"
    NOT_SHORTABLE = "not_shortable"
    INSUFFICIENT_BUYING_POWER = "insufficient_buying_power"
    INSUFFICIENT_SHARES = "insufficient_shares"
    """The shares to sell are not held, or another order reserves them."""
    WASH_TRADE = "wash_trade"
    """It could meet an order of the same account on the other side."""
    FORBIDDEN = "forbidden"
    """Not allowed for the account: money, shares or an opposite order, and the broker does not say which."""
    PATTERN_DAY_TRADER = "pattern_day_trader"
    DUPLICATE_ID = "duplicate_id"
    """An order has its id already: in doubt, because it may be this very one (EX-06)."""
    NO_SUCH_ORDER = "no_such_order"
    NOT_WORKING = "not_working"
    """The order to cancel or replace has ended, or is ending."""
    UNAUTHORISED = "unauthorised"
    RATE_LIMITED = "rate_limited"


MAY_BE_A_BLOCK = frozenset({RefusalKind.FORBIDDEN, RefusalKind.UNAUTHORISED})
"""Refusals by which a broker may mean that it accepts no order of the account now."""


class ProposalEnd(Enum):
    """How a proposal left the stage."""

    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    BLOCKED = "blocked"
    SENT = "sent"

    def with_reason(self, reason: str, word: str = "") -> str:
        """Format `declined: too late`; a reason that repeats the word is left out."""
        word = word or self.value
        return word if reason in {"", self.value} else f"{word}: {reason}"


class BasketStop(Enum):
    """Why a basket was stopped before all of it had its turn."""

    OPERATOR = "operator"
    UNANSWERED = "unanswered"
    """It asked, and its confirmed time expired before an answer."""
    HALTED = "halted"
    KILLED = "killed"
    RESTARTED = "restarted"
    """The desk was stopped while it ran."""


class HaltCause(Enum):
    """Cause of a halt; each is ended differently."""

    KEY = "key"
    SIGNAL = "signal"
    INVARIANT = "invariant"
    JOURNAL = "journal"
    RETIRED = "strategies"
    UNATTENDED = "attendance"
    """On a live account no key was pressed for too long (RK-27)."""


OF_A_PERSON = frozenset({HaltCause.KEY, HaltCause.UNATTENDED})
"""Causes that the operator ends with a key, without a typed word."""


SHUTS_ENTRIES_ALONE = frozenset({HaltCause.UNATTENDED})
"""Confirmed exits are still sent."""


class KeyEnd(Enum):
    """Why a desk lost control without another desk taking it."""

    LEFT = "left"
    LAPSED = "lapsed"
    """Its link failed, and it was not back in time."""


class TicketEnd(Enum):
    """Why a ticket can no longer be confirmed, if a decision or a screen needs it."""

    OTHER = "other"
    HANDED_OVER = "handed_over"
    """The desk that had it open lost control, or its link (OP-13)."""


class Denial(Enum):
    """Why a command is refused at the inbox, before any of it is done."""

    OTHER = "other"
    NO_PORT = "no_door"
    OTHER_ACCOUNT = "other_account"
    NOT_HOLDER = "not_holder"
    """Another desk has control, or none has."""
    NOT_ATTACHED = "not_attached"
    NO_DESK = "no_desk"
    """It refers to a desk and came from none."""
    NO_TERMINAL = "no_terminal"
    """A desk without a terminal cannot take control."""
    WORD = "word"
    """The holder was active just now, or keeps control while its link is lost, and the word was not typed."""
    OTHER_HOLD = "other_hold"
    """Control changed hands since it was on the screen."""
    UNPAINTED = "unpainted"
    """It does not tell how its ticket was seen on the screen."""
    LATE = "late"
    """It loosens, and waited while the engine was stalled."""
    OUTRUN = "outrun"
    """It ends a halt, and was typed before its desk had shown that halt, or before the engine stalled."""


class ReadOnlyCode(Enum):
    """Why a comparison left the desk read-only."""

    APART = "apart"
    """Our books and the broker's differ by more than is corrected automatically (EX-09)."""
    UNDECIDED = "undecided"
    """They differ, and an order in flight may explain it."""
    UNPROVEN = "unproven"
    """The broker's show less than ours, once or against its own orders: nothing is corrected by that (EX-09)."""
    OLDER = "older"
    """The broker has orders with our form of id that the journal does not know (EX-24)."""
    UNREACHABLE = "unreachable"
    """The broker did not report its own."""
    OTHER_ACCOUNT = "other_account"
    """The keys are of another account by now: nothing of it is taken in."""


class DeskState(StrEnum):
    """The desk's state in one word."""

    STARTING = "starting"
    ON = "on"
    READ_ONLY = "read-only"
    HALTED = "halted"
    KILLED = "killed"


class IdleCode(StrEnum):
    """Why a working order is not expected to trade now, so that it protects nothing (EX-22)."""

    BROKER_WORD = "broker_word"
    """By the broker's status, such as `suspended`."""
    UNKNOWN_WORD = "unknown_word"
    """The broker's status is unknown here."""
    UNFILLED = "unfilled"
    """A market exit that has not filled in time: it rests, as at a collar."""
    LEAVING = "leaving"
    """Its cancel or its replacement is under way at the broker, which has not said yet what became of it."""


class UnprotectedKind(StrEnum):
    """Why shares are uncovered."""

    NO_STOP = "no_stop"
    IDLE = "idle"
    """The broker has their exit, and does not trade it."""
    AT_LIMIT = "at_limit"
    """An exit waits at its limit, and reserves them."""
    IN_DOUBT = "in_doubt"
    """Whether the broker has their stop is unknown."""


class OwedReason(StrEnum):
    """Why shares whose ticket named a stop have none in force (EX-22)."""

    DUE = "due"
    """None of the reasons below applies: it is to be sent now."""
    ON_ITS_WAY = "on_its_way"
    """It was recorded, and the broker has not answered yet."""
    IN_DOUBT = "in_doubt"
    """Whether the broker has the stop, or the exit in its place, is unknown."""
    KEPT = "kept"
    """The broker does not have it, and it is sent again."""
    BLOCKED = "blocked"
    """The broker refused it and accepts no order of the account: it is sent again as soon as the broker does."""
    CLOSING = "closing"
    """It was cancelled for an exit that is not at the broker yet."""
    WAITS_FOR_KEY = "waits_for_key"
    TAKEN_ELSEWHERE = "taken_elsewhere"
    """It was cancelled at the broker, not by this desk."""
    HELD_ELSEWHERE = "held_elsewhere"
    """A stop that was placed elsewhere, as on a phone, protects all of them at the broker."""
    LEGS_WAIT = "legs_wait"
    """The broker activates it when its entry is filled whole, and a part has been filled.

    A cancel of the rest ends the wait: the stop is sent for what was filled. The operator is notified if it lasts.
    """
    NOT_TRADING = "not_trading"
    """The broker has the stop, or the exit, and does not trade it now.

    The operator is notified while the market is open.
    """
    BEFORE_SPLIT = "before_split"
    """The broker has a stop whose price is of shares from before a split, and is to cancel it."""
    LEAVING = "leaving"
    """A cancel or a replacement of the stop is under way at the broker, which may carry it out at any moment.

    The stop still reserves the shares. The operator is notified while the market is open.
    """
    UNFILLED = "unfilled"
    """A market exit rests, and reserves the shares."""
    AT_LIMIT = "at_limit"
    """An exit at a limit reserves the shares."""
    NAKED = "naked"
    """NAKED was typed, which leaves no stop."""


NEEDS_NOBODY = frozenset({OwedReason.AT_LIMIT, OwedReason.NAKED, OwedReason.HELD_ELSEWHERE})
"""Decided by the operator, or stated on a confirmed ticket: nobody is called."""
UNDER_WAY = frozenset(
    {OwedReason.ON_ITS_WAY, OwedReason.IN_DOUBT, OwedReason.KEPT, OwedReason.CLOSING, OwedReason.LEAVING}
)
"""The desk continues with these by itself: one notice covers them all."""
