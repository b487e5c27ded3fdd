"""Remove our keys from the adapter's answers before they are shown; figures stay (SY-06)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from core.io.redaction import Redaction
from core.model.broker import BrokerPicture, NoAnswer, Refused
from core.model.instrument import NoInstrument


class _Hiding(Protocol):
    @property
    def hide(self) -> Redaction: ...


_Self = TypeVar("_Self", bound=_Hiding)
_Rest = ParamSpec("_Rest")
_Answer = TypeVar("_Answer")


def as_shown(method: Callable[Concatenate[_Self, _Rest], _Answer]) -> Callable[Concatenate[_Self, _Rest], _Answer]:
    """Decorate a method to remove keys that a server sent back from its answer."""

    @wraps(method)
    def answered(self: _Self, /, *args: _Rest.args, **kwargs: _Rest.kwargs) -> _Answer:
        return cast(_Answer, _without_keys(method(self, *args, **kwargs), self.hide))

    return answered


def _without_keys(answer: Any, hide: Redaction) -> Any:
    if isinstance(answer, Refused):
        return replace(answer, message=hide(answer.message))
    if isinstance(answer, NoAnswer | NoInstrument):
        return replace(answer, reason=hide(answer.reason))
    if isinstance(answer, BrokerPicture) and (answer.unreadable or answer.unreadable_positions):
        return replace(
            answer,
            unreadable=tuple(replace(one, reason=hide(one.reason)) for one in answer.unreadable),
            unreadable_positions=tuple(replace(p, reason=hide(p.reason)) for p in answer.unreadable_positions),
        )
    return answer
