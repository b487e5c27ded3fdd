"""The frames of `agents.sock`: an agent reads the desk, asks for a size, drafts, withdraws and says a text (OP-09).

There is no other verb. Figures and times travel as text, and `agent_drafts.py` parses them. A frame of another
protocol, such as a desk's, is an overstep; a frame that cannot be read is a fault. Either is answered with a line that
says what to do.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, TypeAlias, get_args

import msgspec
from msgspec import Meta

from core.model.lazy_dataclass import dataclass
from core.model.text_sanitizer import foreign
from core.protocol.codec import FrameError
from core.protocol.frames import Count, Frame, Word

PROTOCOL = 5
"""Grows with every change of these frames; programs with different numbers refuse each other."""
LARGEST = 65_536
"""The maximum size of an agent's frame in bytes."""
MOST_PARTS = 16
MOST_FACTS = 20
MOST_BARS = 62
"""Minutes that the desk keeps of each symbol."""
MOST_ROWS = 200
"""Rows of a list in one answer."""
LONGEST_KEY = 64
LONGEST_REASON = 500
LONGEST_TEXT = 300
"""Characters of a text that an agent says."""
LONGEST_SUMMARY = 1_500
"""Characters of its summary of a day."""
LONGEST_SHOWN = 40
"""Characters of a wrong text that are repeated."""

Figure: TypeAlias = Annotated[str, Meta(max_length=100)]
"""A number as text; empty for none."""
LongText: TypeAlias = Annotated[str, Meta(max_length=16_384)]
"""Longer than what is taken, so that the answer can say by how much."""


class Part(StrEnum):
    """The parts of the desk that an agent reads."""

    DESK = "desk"
    POSITIONS = "positions"
    ORDERS = "orders"
    QUOTE = "quote"
    BARS = "bars"
    PROTECTIONS = "protections"
    LIMITS = "limits"
    DRAFTS = "drafts"
    NEWS = "news"
    """Headlines of a symbol, foreign text; and its next report."""
    REFUSALS = "refusals"
    """How often each check refused which proposals, in the log that the desk shows."""


LISTS = frozenset({Part.POSITIONS, Part.ORDERS, Part.PROTECTIONS, Part.DRAFTS})
"""The parts that are read in pages. The orders are newest first, the drafts newest last."""


class RejectionCode(StrEnum):
    """Why a frame was not answered. `Rejected` has it as text, because an older program may not know it."""

    OTHER_PROTOCOL = "other-protocol"
    UNKNOWN_AGENT = "unknown-agent"
    NOT_UNDERSTOOD = "not-understood"
    OVERSTEP = "overstep"
    """It asked for something other than reading and drafting."""
    TOO_MANY = "too-many"
    FLOOD = "flood"
    NOT_READY = "not-ready"
    UNKNOWN_SYMBOL = "unknown-symbol"
    HIDDEN = "hidden"
    """This agent is not told amounts."""
    LEAVING = "leaving"


# ── from an agent ────────────────────────────────────────────────────────────────────────────────────────────────────


class AgentHello(Frame, tag="agent", frozen=True):
    """The first frame of a connection: the protocol's number, the program's version, and the agent's name."""

    protocol: Count
    version: Word
    name: Word


class Read(Frame, tag="read", frozen=True):
    """Read these parts of the desk.

    `symbol` is that of a quote, of bars and of news, `count` the number of the last bars. `key` is that of one draft.
    A list has its newest `rows`, or those of its `before` oldest.
    """

    call: Count
    parts: Annotated[tuple[Word, ...], Meta(min_length=1, max_length=MOST_PARTS)]
    symbol: Word = ""
    count: Annotated[int, Meta(ge=1, le=MOST_BARS)] = MOST_BARS
    key: Word = ""
    rows: Annotated[int, Meta(ge=1, le=MOST_ROWS)] = MOST_ROWS
    before: Count | None = None


class Terms(Frame, tag="terms", frozen=True):
    """The terms of an order as text: `side` is buy, sell, short or cover; an empty figure is none.

    `strategy` is the strategy whose rules judge it if the operator adopts it; empty for an order.
    """

    symbol: Word
    side: Word
    quantity: Figure = ""
    type: Word = "limit"
    limit_price: Figure = ""
    stop_price: Figure = ""
    target_price: Figure = ""
    time_in_force: Word = "day"
    strategy: Word = ""


class Stated(Frame, tag="fact", frozen=True):
    """A fact as text; `at` is an ISO 8601 time with an offset, empty for now."""

    symbol: Word
    field: Word
    value: Figure
    at: Word = ""
    source: Word = ""


class AskSize(Frame, tag="size", frozen=True):
    """Ask which quantity the desk would give such an entry, and what limits it."""

    call: Count
    terms: Terms


class SubmitDraft(Frame, tag="draft", frozen=True):
    """Draft an order; `key` is the agent's own name of the draft, `confidence` a number from 0 to 1 or empty."""

    call: Count
    key: Word
    terms: Terms
    reason: LongText
    facts: Annotated[tuple[Stated, ...], Meta(max_length=10 * MOST_FACTS)] = ()
    confidence: Figure = ""


class WithdrawDraft(Frame, tag="withdraw", frozen=True):
    call: Count
    key: Word


class Say(Frame, tag="remark", frozen=True):
    """Say one line for the operator's list of texts, or for the report of a day; nothing follows from it.

    `day` is an ISO 8601 date, empty for the list.
    """

    call: Count
    text: LongText
    day: Word = ""


# ── from the engine ──────────────────────────────────────────────────────────────────────────────────────────────────


class Accepted(Frame, tag="accepted", frozen=True):
    """The answer to a hello; `mode` is that of the account."""

    protocol: Count
    version: Word
    account: Word
    mode: Word


class Rejected(Frame, tag="rejected", frozen=True):
    """Why a call was not answered; `code` is a `RejectionCode`, `words` one line that says what to do.

    `call` is zero where the frame named none.
    """

    call: Count
    code: str
    words: str


class Told(Frame, tag="told", frozen=True):
    """The parts that were read: `json` is an object with a value for each part, its figures as text.

    `in_all` has the number of rows of each list and of bars, also of those that were not read.
    """

    call: Count
    json: str
    in_all: dict[str, int] = msgspec.field(default_factory=dict)


class Said(Frame, tag="remarked", frozen=True):
    """The text is taken, or was there already."""

    call: Count


class Sized(Frame, tag="sized", frozen=True):
    """The quantity of an entry, empty if none fits, and what limits it."""

    call: Count
    quantity: Figure
    limited_by: str


class Compared(Frame, tag="compared", frozen=True):
    """A stated fact beside the desk's figure, empty if it has none or does not show it; `result` is a `FactResult`."""

    symbol: Word
    field: Word
    value: Figure
    result: Word
    ours: Figure = ""
    why: str = ""


class Judged(Frame, tag="judged", frozen=True):
    """What the desk made of a draft or a withdrawal.

    `number` is None for a rejected one; `code` is then a `DraftRefusal`, and `reasons` say what to do.
    """

    call: Count
    key: Word
    number: int | None
    quantity: Figure = ""
    code: str = ""
    reasons: tuple[str, ...] = ()
    facts: tuple[Compared, ...] = ()


FromAgent: TypeAlias = AgentHello | Read | AskSize | SubmitDraft | WithdrawDraft | Say
ToAgent: TypeAlias = Accepted | Rejected | Told | Sized | Judged | Said

_from_agent: msgspec.msgpack.Decoder[FromAgent] = msgspec.msgpack.Decoder(FromAgent)
_to_agent: msgspec.msgpack.Decoder[ToAgent] = msgspec.msgpack.Decoder(ToAgent)
_anything: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder()
_UNREADABLE = (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError)
VERBS = tuple(str(kind.__struct_config__.tag) for kind in get_args(FromAgent))
CAN = "an agent can read, ask for a size, draft, withdraw and say a text; a person decides about everything else"


@dataclass(frozen=True, slots=True)
class Fault:
    """A frame that is not taken.

    Attributes
    ----------
    call
        The call that it named; zero if none can be read.
    attempt
        What it tried, harmless and short, for the record.
    """

    code: RejectionCode
    words: str
    attempt: str
    call: int = 0

    @property
    def is_overstep(self) -> bool:
        return self.code is RejectionCode.OVERSTEP


def from_agent(data: bytes) -> FromAgent | Fault:
    """Decode a frame without its length. Never raises."""
    try:
        return _from_agent.decode(data)
    except _UNREADABLE as error:
        return _fault_of(data, error)


def to_agent(data: bytes) -> ToAgent:
    """Decode an answer without its length. Raises `FrameError`."""
    try:
        return _to_agent.decode(data)
    except _UNREADABLE as error:
        raise FrameError(f"no answer of this protocol: {error}") from error


def _fault_of(data: bytes, error: Exception) -> Fault:
    try:
        told = _anything.decode(data)
    except _UNREADABLE:
        told = None
    match told:
        case [str(verb), *rest] if verb in VERBS:
            call = rest[0] if rest and type(rest[0]) is int and 0 <= rest[0] <= 2**53 else 0
            words = f"the {verb} frame cannot be read: {_shown(str(error), 160)}; correct it and send it again"
            return Fault(RejectionCode.NOT_UNDERSTOOD, words, f"send an unreadable {verb}", call)
        case [str(verb), *_]:
            words = f"there is no {_shown(verb)} here: {CAN}"
            return Fault(RejectionCode.OVERSTEP, words, f"use {_shown(verb)}")
    words = f"this is no frame: send a list that begins with one of {', '.join(VERBS)}"
    return Fault(RejectionCode.NOT_UNDERSTOOD, words, "send what is no frame")


def _shown(text: str, most: int = LONGEST_SHOWN) -> str:
    """Return a text from outside for one line."""
    return foreign(text[:most])
