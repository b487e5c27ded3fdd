"""Codes: what a decision reads of why something ended, was taken back or was refused (SP-07).

Each stands in its fact beside the words that people read. The words may be put otherwise at any time; a code means
the same for ever. What was recorded before there were codes is read through `core.facts.older_records`.
"""

from __future__ import annotations

from enum import Enum, StrEnum


class EndCode(Enum):
    """How an order ended, where its state does not say it."""

    AS_ITS_STATE_SAYS = "as_its_state_says"
    REPLACED = "replaced"
    """Another has taken its place, by the broker's word."""
    NEVER_ARRIVED = "never_arrived"
    """The broker, asked for long enough, never had it (EX-06)."""
    FILLED_SHORT = "filled_short"
    """The broker calls it filled, and its figures say that a part of it is not (EX-05)."""
    REJECTED_LATER = "rejected_later"
    """The broker rejected what was left of it after a part was filled (EX-05)."""
    LOST_THERE = "lost_there"
    """The broker had it, and, asked for long enough, knows it no more (EX-06)."""


class CancelCode(Enum):
    """Why an order is to be taken back."""

    OTHER = "other"
    OPERATOR = "operator"
    KILLED = "killed"
    MAKES_WAY = "makes_way"
    """An exit of the same shares takes it out of the way (EX-21)."""
    TOO_MUCH = "too_much"
    """It is for more than is held (EX-13)."""
    NONE_AT_THE_BROKER = "none_at_the_broker"
    """The broker's books show none of what it would close."""
    FLAT = "flat"
    """Its position is closed."""
    OUTLIVED = "outlived"
    """Its time to live is over (EX-07)."""
    WARNING = "warning"
    """Nobody confirmed the broker's warning in time (OP-11)."""
    FLATTENED = "flattened"
    """All positions are being closed (EX-10)."""
    REAPPEARED = "reappeared"
    """It had ended, and works at the broker all the same."""
    ORPHANED = "orphaned"
    """What it was made with has ended."""
    FILLED_FURTHER = "filled_further"
    """The order that it replaces filled further meanwhile."""
    UNATTENDED = "unattended"
    """Nobody was at a desk for as long as it may rest then (RK-27)."""
    REPEATED = "repeated"
    """Its strategy filled entries, or had its stop renewed, too often within minutes (RK-24)."""
    LISTED = "listed"
    """Its symbol was put on a list that shuts entries (RK-26)."""


CUT = frozenset({CancelCode.TOO_MUCH, CancelCode.NONE_AT_THE_BROKER})
"""An exit that had too much to close: what is held of it after all is owed its stop."""
BY_A_PERSON = frozenset({CancelCode.OPERATOR, CancelCode.KILLED})
"""A stop that is cancelled so is owed no more."""


class BlockCode(Enum):
    """Why an order that was written down never left."""

    OTHER = "other"
    TAKEN_BACK = "taken_back"
    LAPSED = "lapsed"
    """What permitted it was over when its turn came."""
    LEFT = "left"
    """The desk left first, and what it kept is not sent any more (EX-22)."""
    LIMITED = "limited"
    """The broker took no requests when it was sent, and it is not sent again (RK-24)."""
    LOST = "lost"
    """The broker has not got it although it was sent, and it is not sent again (EX-22)."""


class AuthorizationCode(Enum):
    """Why a mandate has nothing left to permit."""

    OTHER = "other"
    SOLD = "sold"
    NOTHING_LEFT = "nothing_left"
    STAYED = "stayed"
    """A stop that was to go back never made way."""
    NOT_IN_TIME = "not_in_time"
    """A close: the stop in its way was not gone in time, and nothing was sold."""
    NOT_THROUGH = "not_through"
    """A close: its order ended before all of it was filled."""
    CANCELLED = "cancelled"
    """A close: the operator took its order back before all of it was filled."""
    DISPLACED = "displaced"
    """Another close took its place."""
    REFUSED = "refused"
    """What would have been sent is not what was signed, or its time was over."""
    ASKED_AGAIN = "asked_again"
    NOT_ASKED_AGAIN = "not_asked_again"
    """The stop that made way could not be asked for again."""
    WAITS_FOR_KEY = "waits_for_key"
    DECLINED = "declined"
    TAKEN_BACK = "taken_back"


FAILED_CLOSES = frozenset({AuthorizationCode.NOT_IN_TIME, AuthorizationCode.NOT_THROUGH})
"""The position is still there, and a person is told so."""


class GuardCode(Enum):
    """Why a stop, or an exit, is asked for where shares have none."""

    BY_HAND = "by_hand"
    WITH_ITS_DAY = "with_its_day"
    """The one before ended with its day."""
    PERMITTED_NO_MORE = "permitted_no_more"
    """It is owed, and what was signed for it has ended."""
    NOT_THERE = "not_there"
    """It never reached the broker."""
    REFUSED = "refused"
    KEPT_BACK = "kept_back"
    """It was kept back before it was sent."""
    LEFT = "left"
    """It was not sent before the desk left (EX-22)."""
    LIMITED = "limited"
    """The broker took no requests when it was sent (RK-24)."""
    FAILED = "failed"
    """The desk failed before sending it."""
    EXIT_WITH_ITS_DAY = "exit_with_its_day"
    """An exit ended with its day before it had sold all."""


class RefusalKind(Enum):
    """What a broker means that refuses an order or its cancel. Each broker's own numbers stand in its folder."""

    OTHER = "other"
    """For a reason that has no name here."""
    UNPROCESSABLE = "unprocessable"
    """Its terms are none that the broker takes."""
    NOT_TRADABLE = "not_tradable"
    NOT_SHORTABLE = "not_shortable"
    INSUFFICIENT_BUYING_POWER = "insufficient_buying_power"
    INSUFFICIENT_SHARES = "insufficient_shares"
    """What it would sell is not held, or another order holds it."""
    WASH_TRADE = "wash_trade"
    """It could meet an order of the same account on the other side."""
    FORBIDDEN = "forbidden"
    """The account may not: money, shares or an order on the other side, and the broker does not say which."""
    PATTERN_DAY_TRADER = "pattern_day_trader"
    DUPLICATE_ID = "duplicate_id"
    """An order has its id already: doubt, for it may be this very one (EX-06)."""
    NO_SUCH_ORDER = "no_such_order"
    NOT_WORKING = "not_working"
    """What was to be cancelled or replaced has ended, or is ending."""
    UNAUTHORISED = "unauthorised"
    RATE_LIMITED = "rate_limited"


class ProposalEnd(Enum):
    """How a proposal left the stage."""

    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    BLOCKED = "blocked"
    SENT = "sent"


class BasketStop(Enum):
    """Why a basket was stopped before all of it had its turn."""

    OPERATOR = "operator"
    UNANSWERED = "unanswered"
    """It asked, and the time that was signed for it was over first."""
    HALTED = "halted"
    KILLED = "killed"
    RESTARTED = "restarted"
    """The desk was stopped while it ran."""


class HaltCause(Enum):
    """What halts: each is ended in a way of its own."""

    KEY = "key"
    SIGNAL = "signal"
    INVARIANT = "invariant"
    JOURNAL = "journal"
    RETIRED = "strategies"
    UNATTENDED = "attendance"
    """On a live account no key was pressed for too long (RK-27)."""


OF_A_PERSON = frozenset({HaltCause.KEY, HaltCause.UNATTENDED})
"""What a person's key ends as it is, without a word typed."""


SHUTS_ENTRIES_ALONE = frozenset({HaltCause.UNATTENDED})
"""Exits that were signed go out all the same."""


class KeyEnd(Enum):
    """Why a desk holds the key no more, and nobody does."""

    LEFT = "left"
    LAPSED = "lapsed"
    """Its link died, and it was not back in time."""


class TicketEnd(Enum):
    """Why a ticket can no longer be confirmed, where a decision or a screen asks for it."""

    OTHER = "other"
    HANDED_OVER = "handed_over"
    """Whoever had it open holds the key no more, or has lost its link (OP-13)."""


class Denial(Enum):
    """Why a command is refused at the inbox, before any of it is done."""

    OTHER = "other"
    NO_DOOR = "no_door"
    OTHER_ACCOUNT = "other_account"
    NOT_HOLDER = "not_holder"
    """Another desk holds the key, or nobody does."""
    NOT_ATTACHED = "not_attached"
    NO_DESK = "no_desk"
    """It speaks of a desk and came from none."""
    NO_TERMINAL = "no_terminal"
    """A desk without a terminal of its own holds no key."""
    WORD = "word"
    """The holder was active just now or keeps the key while its link is lost, and the word was not typed."""
    OTHER_HOLD = "other_hold"
    """The key changed hands since it was on the screen."""
    UNPAINTED = "unpainted"
    """It does not say how its ticket was seen on the screen."""
    LATE = "late"
    """It loosens, and lay before an engine that stood still."""
    OUTRUN = "outrun"
    """It ends a halt, and was typed before one that its desk had not shown, or before the engine stood still."""


class ReadOnlyCode(Enum):
    """Why a comparison left the desk read-only."""

    APART = "apart"
    """Our books and the broker's differ by more than is corrected without a person (EX-09)."""
    UNDECIDED = "undecided"
    """They differ, and an order on its way may explain it."""
    UNPROVEN = "unproven"
    """The broker's show less than ours, once or against its own orders: nothing is corrected by that (EX-09)."""
    OLDER = "older"
    """The broker has orders with our form of id that the journal does not know (EX-24)."""
    UNREACHABLE = "unreachable"
    """The broker did not tell its own."""


class DeskState(StrEnum):
    """Where the desk stands, in one word."""

    STARTING = "starting"
    ON = "on"
    READ_ONLY = "read-only"
    HALTED = "halted"
    KILLED = "killed"


class IdleCode(StrEnum):
    """Why an order that the broker has cannot be expected to trade now: it covers nothing (EX-22)."""

    BROKER_WORD = "broker_word"
    """By the broker's word for it, as `suspended`."""
    UNKNOWN_WORD = "unknown_word"
    """The broker's word for it is not known here."""
    UNFILLED = "unfilled"
    """An exit at the market that has not filled in time: it rests, as at a collar."""


class UnprotectedKind(StrEnum):
    """Why shares are not covered."""

    NO_STOP = "no_stop"
    IDLE = "idle"
    """The broker has what would close them, and does not trade it."""
    AT_LIMIT = "at_limit"
    """An exit waits at its limit, and holds them."""
    IN_DOUBT = "in_doubt"
    """Nobody knows whether the broker has what guards them."""


class OwedReason(StrEnum):
    """Why shares whose ticket named a stop have none in force (EX-22)."""

    DUE = "due"
    """Nothing of what follows is known: it is to be sent now."""
    ON_ITS_WAY = "on_its_way"
    """It was written down, and the broker has not answered yet."""
    IN_DOUBT = "in_doubt"
    """Nobody knows whether the broker has the stop, or the exit that took its place."""
    KEPT = "kept"
    """The broker has not got it, and it is sent again."""
    CLOSING = "closing"
    """It made way for an exit that is not at the broker yet."""
    WAITS_FOR_KEY = "waits_for_key"
    TAKEN_ELSEWHERE = "taken_elsewhere"
    """It was cancelled at the broker, and not by this desk."""
    LEGS_WAIT = "legs_wait"
    """The broker puts it in force when its entry is filled whole."""
    NOT_TRADING = "not_trading"
    """The broker has the stop, or the exit, and does not trade it now. A person is called while the market is open."""
    UNFILLED = "unfilled"
    """An exit at the market rests, and holds the shares."""
    AT_LIMIT = "at_limit"
    """An exit at a limit holds the shares."""
    NAKED = "naked"
    """The word was typed that leaves no stop."""


NEEDS_NOBODY = frozenset({OwedReason.LEGS_WAIT, OwedReason.AT_LIMIT, OwedReason.NAKED})
"""A person decided it so, or signed a ticket that says so: nobody is called."""
UNDER_WAY = frozenset({OwedReason.ON_ITS_WAY, OwedReason.IN_DOUBT, OwedReason.KEPT, OwedReason.CLOSING})
"""What this desk goes on with by itself: a person is called once for all of it."""
