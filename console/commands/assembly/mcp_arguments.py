"""The arguments of the tools of `keyturn mcp`: their types, letter case, and what of them is ignored (OP-09, SY-11).

Models write figures as numbers or text, lists as JSON text, and words in any letter case. Their clients add keys of
their own. A read ignores every key that it does not have. A draft ignores the keys of `is_added` alone, and refuses any
other, so that nothing that was meant is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from mcp.server.mcpserver.tools import Tool
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from core.model.fact_fields import fields_in_words
from core.protocol.agent_frames import MOST_ROWS, Terms

ADDED_IDS = frozenset(
    {
        *("toolcallid", "tooluseid", "callid", "requestid", "sessionid", "mcpsessionid", "threadid", "conversationid"),
        *("messageid", "runid", "traceid", "spanid", "traceparent", "tracestate", "progresstoken"),
    }
)
"""Names of ids that clients add to a call, in small letters and without `_` and `-`. None names a term of an order."""
LONGEST_ID = 200
META = "_meta"
OF_A_CHAT = {"action": "sendMessage"}
"""n8n adds the fields of its chat to each call: this action, a session, and the person's whole text as `chatInput`."""
USUAL_ROWS = 50
MOST_OF_A_BASKET = 10


def is_added(name: str, value: object, given: Mapping[str, Any], tool: str) -> bool:
    """Whether a client added this argument: by its name, and a value that can be no term of an order."""
    plain = name.lower().replace("_", "").replace("-", "")
    if plain in ADDED_IDS:
        return value is None or (isinstance(value, str | int) and len(str(value)) <= LONGEST_ID)
    if name == META:
        return value is None or isinstance(value, Mapping)
    if name == "tool":
        return isinstance(value, str) and value.lower().endswith(tool)
    is_chat = all(given.get(each) == text for each, text in OF_A_CHAT.items()) and "sessionId" in given
    return is_chat and name in ("action", "chatInput")


def checked(method: Callable[..., Any], *, drafts: bool) -> Tool:
    """Return the tool of a method. One that drafts refuses arguments that it does not have; a read ignores them."""
    tool = Tool.from_function(method, description=" ".join((method.__doc__ or "").split()))
    kind, name = tool.fn_metadata.arg_model, tool.name
    has_default = {each for each, field in kind.model_fields.items() if not field.is_required()}

    def given(_cls: type[BaseModel], values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        return {
            each: value
            for each, value in values.items()
            if not (value is None and each in has_default)
            and (each in kind.model_fields or not is_added(each, value, values, name))
        }

    before: Any = classmethod(given)
    parts = {
        "model_config": ConfigDict(extra="forbid" if drafts else "ignore"),
        "given": model_validator(mode="before")(before),
        "__module__": __name__,
    }
    arguments: Any = type(kind.__name__, (kind,), parts)
    tool.fn_metadata.arg_model = arguments
    tool.parameters = arguments.model_json_schema(by_alias=True)
    return tool


def _text_of(value: object) -> object:
    """Return a number as text, exactly as it was written; models send both."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _in_small_letters(value: object) -> object:
    """Return a word of a table. A letter that only looks like one of A-Z stays, and is refused."""
    return value.strip().lower() if isinstance(value, str) and value.isascii() else value


def _in_capitals(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) and value.isascii() else value


def _list_of(value: object) -> object:
    """Return the list of a JSON text; models send both."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value


AnyCase, Capitals = BeforeValidator(_in_small_letters), BeforeValidator(_in_capitals)
Number: TypeAlias = Annotated[str, BeforeValidator(_text_of), Field(description="a number, as text: 510.20")]
Symbol: TypeAlias = Annotated[str, Capitals, Field(description="as SPY", max_length=20)]
Key: TypeAlias = Annotated[str, Field(description="your own name of this draft, at most 64 of A-Z a-z 0-9 . _ : -")]
Reason: TypeAlias = Annotated[str, Field(description="why, in a sentence or two; at most 500 characters")]
Confidence: TypeAlias = Annotated[
    str, BeforeValidator(_text_of), Field(description="your probability that the trade gains, 0 to 1")
]
Strategy: TypeAlias = Annotated[
    str,
    AnyCase,
    Field(description="a strategy of the desk that judges the adopted draft by its rules, as momentum; or none"),
]
EntrySide: TypeAlias = Annotated[Literal["buy", "short"], AnyCase]
ExitSide: TypeAlias = Annotated[Literal["sell", "cover"], AnyCase]
TimeInForce: TypeAlias = Annotated[Literal["day", "gtc", "ioc"], AnyCase]
Rows: TypeAlias = Annotated[int, Field(ge=1, le=MOST_ROWS, description="rows at most, the newest")]
Before: TypeAlias = Annotated[
    int | None, Field(ge=0, description="for the rows that were left: the number in `next` of the last answer")
]


class Row(BaseModel):
    """A row of a list. A part that may be left out may be null."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def given(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        has_default = {each for each, field in cls.model_fields.items() if not field.is_required()}
        return {each: value for each, value in values.items() if not (value is None and each in has_default)}


class Fact(Row):
    """A figure that the draft rests on."""

    symbol: Annotated[str, Capitals] = Field("", description="empty for a figure of the account")
    field: Annotated[str, AnyCase] = Field(
        description=f"the name under which the tool returned it. By unit: {fields_in_words()}"
    )
    value: Annotated[
        str, BeforeValidator(_text_of), Field(description="as 510.20, 1,234.50, 1.2M; of a fraction 0.025 or 2.5%")
    ]
    at: str = Field(
        "",
        description="when it was so: ISO 8601 with an offset, seconds of the epoch, or the exchange's 09:45; empty for"
        " the moment of the draft",
    )
    source: str = Field("", description="where it is from, as get_quote")


Facts: TypeAlias = Annotated[
    list[Fact], BeforeValidator(_list_of), Field(description="the figures that it rests on, at most 20")
]
NO_FACTS: list[Fact] = []


class BasketDraft(Row):
    """One draft of a basket: an entry (buy, short) with its stop, or an exit (sell, cover)."""

    key: Key
    symbol: Symbol
    side: Annotated[Literal["buy", "short", "sell", "cover"], AnyCase]
    reason: Reason
    stop_price: Number | None = Field(None, description="of an entry")
    limit_price: Number | None = Field(None, description="without one it is a market order")
    quantity: Number | None = Field(None, description="without one the desk computes it")
    target_price: Number | None = None
    time_in_force: TimeInForce = "day"
    facts: Facts = NO_FACTS
    confidence: Confidence | None = None

    def terms(self) -> Terms:
        return Terms(
            self.symbol,
            self.side,
            self.quantity or "",
            "market" if self.limit_price is None else "limit",
            self.limit_price or "",
            self.stop_price or "",
            self.target_price or "",
            self.time_in_force,
        )


Basket: TypeAlias = Annotated[
    list[BasketDraft], BeforeValidator(_list_of), Field(min_length=1, max_length=MOST_OF_A_BASKET)
]
