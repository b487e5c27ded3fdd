"""The file by which `keyturn basket` passes a basket to the running engine; it is taken once (OP-05).

The command reads the result in the journal, where the engine records it with the command's request identifier.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import orjson

from core.facts import BasketOpened, BasketRefused
from core.files.basket_file import LARGEST as LARGEST_AMOUNT
from core.files.basket_file import LARGEST_FILE, read_plan
from core.files.regular_file import bytes_of, reading
from core.messages.commands import OpenBasket
from core.model.basket import BasketSource, Deployment, DeploymentWeight
from core.model.lazy_dataclass import dataclass
from core.model.values import Money
from core.ports import OperatorError
from state.codec import decode
from state.files import AccountFolder, replace_file
from state.journal_files import PLAIN, segments

FRESH_SECONDS = 30.0
"""A request older than this was meant for an engine that is gone, and is dropped."""
ANSWER_SECONDS = 6.0
"""How long a command waits for the engine to record its basket."""
POLL_SECONDS = 0.05
NOBODY_TOOK_IT = (
    "nobody took it in time, and it was taken back: look at the desk; if it says NO ENGINE or STARTING, fix that first"
)
NOBODY_ANSWERED = "it was taken and not answered in time; look at the desk, p shows the basket if there is one"


LARGEST_REQUEST = 4 * LARGEST_FILE
"""The maximum size of a request in bytes: a file's text in JSON."""


def wait_a_little() -> None:
    time.sleep(POLL_SECONDS)


def hand_over(folder: AccountFolder, name: str, text: str, deploy: Deployment | None, request: str = "") -> None:
    """Write the request for the engine, which checks at every beat; an older one is replaced. Raises OSError."""
    amount = None if deploy is None else {"amount": str(deploy.amount), "weight": deploy.weight.value}
    asked = {"name": name, "text": text, "deploy": amount, "request": request}
    replace_file(folder.plan_request, orjson.dumps(asked))


def ask(folder: AccountFolder, name: str, text: str, deploy: Deployment | None) -> BasketOpened | BasketRefused | str:
    """Write the request and wait for the recorded result; a string says why there was none. Raises OSError."""
    request = uuid4().hex
    before = {path: path.stat().st_size for path in _segments(folder)}
    hand_over(folder, name, text, deploy, request)
    until = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < until:
        wait_a_little()
        if (found := _answer(folder, before, request)) is not None:
            return found
    try:
        folder.plan_request.unlink()
    except FileNotFoundError:
        return _answer(folder, before, request) or NOBODY_ANSWERED
    return NOBODY_TOOK_IT


def _segments(folder: AccountFolder) -> list[Path]:
    """Those that may grow."""
    if not folder.journal.is_dir():
        return []
    return [path for path in segments(folder.journal) if path.suffix == PLAIN]


def _answer(folder: AccountFolder, before: dict[Path, int], request: str) -> BasketOpened | BasketRefused | None:
    """Return the new record with this request identifier, or None."""
    for path in _segments(folder):
        with reading(path) as file:
            file.seek(before.get(path, 0))
            for line in file:
                if request.encode() in line and line.endswith(b"\n"):
                    fact = decode(line).fact
                    if isinstance(fact, BasketOpened | BasketRefused):
                        return fact
    return None


@dataclass(slots=True)
class BasketInbox:
    """The engine's side. The file is validated again here, because only this result counts."""

    folder: AccountFolder
    now: Callable[[], float] = time.time

    def take(self) -> OpenBasket | str | None:
        """Return the basket, the reason for refusing it, or None without a request. Costs one stat."""
        path = self.folder.plan_request
        try:
            written_at = path.stat().st_mtime
            content = bytes_of(path, LARGEST_REQUEST)
            path.unlink()  # first, so that a basket is never opened twice
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"a basket could not be taken: {path.name}: {error.strerror}; fix the folder"
        if self.now() - written_at > FRESH_SECONDS:
            return "an old basket that no engine took was dropped; run keyturn basket again"
        try:
            request = orjson.loads(content)
            name = str(request["name"])
            deploy = None if request["deploy"] is None else _deployment(request["deploy"])
            rows = read_plan(Path(name), str(request["text"]), deploy)
        except (OperatorError, ArithmeticError, ValueError, KeyError, TypeError) as error:
            return f"a basket was not opened: {error}"
        return OpenBasket(BasketSource.FILE, name, rows, request=str(request.get("request", "")), deploy=deploy)


def _deployment(asked: dict[str, str]) -> Deployment:
    """Raises ValueError, KeyError, TypeError or ArithmeticError for what no command writes."""
    amount = Decimal(asked["amount"])
    if not 0 < amount <= LARGEST_AMOUNT:
        raise ValueError(f"no amount to deploy: {amount}")
    return Deployment(Money(amount), DeploymentWeight(asked["weight"]))
