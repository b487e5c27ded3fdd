"""How faults are told from another terminal, and how the record of requests is read there. No keys are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.wire.exchange.door import Received
from tests.wire.exchange.faults import FAULTS, Fault, Faults, UnknownFaultError, fault_of
from tests.wire.exchange.refusal import RefusalError


class FaultApi:
    """`/faults` and `/received`.

    Parameters
    ----------
    begin, end
        What happens when a fault is told, and when faults of a name, or all, are ended.
    """

    def __init__(
        self,
        faults: Faults,
        received: list[Received],
        begin: Callable[[Fault], None],
        end: Callable[[str | None], list[Fault]],
    ) -> None:
        self._faults, self._received, self._begin, self._end = faults, received, begin, end

    def routes(self) -> list[Route]:
        return [
            Route("/faults", self._list, methods=["GET"]),
            Route("/faults", self._tell, methods=["POST"]),
            Route("/faults", self._stop, methods=["DELETE"]),
            Route("/received", self._show, methods=["GET"]),
        ]

    async def _list(self, _: Request) -> Response:
        there_are = {name: f"{kind.words} ({kind.moment.value})" for name, kind in FAULTS.items()}
        return JSONResponse({"there are": there_are, "told": [asdict(fault) for fault in self._faults.told]})

    async def _tell(self, request: Request) -> Response:
        """`{"fault": "504-after-accepting", "of": "submit", "times": 1}`"""
        try:
            said = await request.json()
            fault = fault_of(said.pop("fault"), **said)
            self._begin(fault)
        except (UnknownFaultError, RefusalError, TypeError, ValueError, KeyError, AttributeError) as error:
            return JSONResponse({"message": str(error)}, 422)
        return JSONResponse({"fault": fault.name, "words": FAULTS[fault.name].words, "when": fault.moment.value})

    async def _stop(self, request: Request) -> Response:
        ended = self._end(request.query_params.get("fault"))
        return JSONResponse({"ended": [fault.name for fault in ended]})

    async def _show(self, _: Request) -> Response:
        return JSONResponse([{**asdict(one), "at": one.at.isoformat()} for one in self._received])
