"""The pages `/healthz` and `/metrics`."""

from __future__ import annotations

from http import HTTPStatus

import orjson
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from core.runtime.health.figures import EngineFigures
from core.runtime.health.server import Page, Pages


def pages_of(figures: EngineFigures) -> Pages:
    """Return the pages by path."""

    def healthz() -> Page:
        is_well, told = figures.health()
        status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
        return Page(status, "application/json", orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))

    def metrics() -> Page:
        return Page(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(figures.registry))

    return {"/healthz": healthz, "/metrics": metrics}
