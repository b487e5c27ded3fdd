"""The broker's own API description (tests/data/alpaca)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

from tests.data import ALPACA

Schema = Mapping[str, Any]


@cache
def schemas() -> Mapping[str, Schema]:
    """Every named object of the trading and of the market data side."""
    found: dict[str, Schema] = {}
    for name in ("trading", "market_data"):
        found |= json.loads((ALPACA / f"{name}.json").read_text())["schemas"]
    return found


def resolved(schema: Schema) -> Schema:
    """What a reference stands for."""
    while "$ref" in schema:
        schema = schemas()[schema["$ref"].rpartition("/")[2]]
    return schema


def property_of(name: str, field: str) -> Schema | None:
    """One field of a named object; None where the description does not have it."""
    said = schemas()[name]["properties"].get(field)
    return None if said is None else {**resolved(said), **{k: v for k, v in said.items() if k != "$ref"}}


def sunset_of(schema: Schema) -> date | None:
    said = schema.get("x-deprecation", {}).get("sunset")
    return None if said is None else date.fromisoformat(said[:10])


def words_of(schema: Schema) -> frozenset[str]:
    """The enumeration, of a list that of its items."""
    items = resolved(schema["items"]) if "items" in schema else schema
    return frozenset(str(word) for word in items.get("enum", ()))


def faults_in(raw: object, schema: Schema, place: str, extras: frozenset[str] = frozenset()) -> Iterator[str]:
    """Where a value is not as described; a field past its announced removal may be missing whatever is required."""
    schema = resolved(schema)
    if raw is None:
        if not schema.get("nullable"):
            yield f"{place}: null, and not nullable"
        return
    kind = schema.get("type")
    kinds: dict[str, tuple[type, ...]] = {
        "string": (str,), "boolean": (bool,), "integer": (int,), "number": (int, float), "array": (list,),
        "object": (dict,),
    }  # fmt: skip
    if kind in kinds and (not isinstance(raw, kinds[kind]) or (isinstance(raw, bool) and kind != "boolean")):
        yield f"{place}: {raw!r} is no {kind}"
        return
    if schema.get("enum") and raw not in schema["enum"]:
        yield f"{place}: {raw!r} is not one of {schema['enum']}"
    if isinstance(raw, list) and "items" in schema:
        for number, one in enumerate(raw):
            yield from faults_in(one, schema["items"], f"{place}[{number}]", extras)
    if isinstance(raw, dict) and "properties" in schema:
        yield from _faults_in_object(raw, schema, place, extras)
    elif isinstance(raw, dict) and isinstance(schema.get("additionalProperties"), dict):
        for name, one in raw.items():
            yield from faults_in(one, schema["additionalProperties"], f"{place}.{name}", extras)


def _faults_in_object(raw: Mapping[str, object], schema: Schema, place: str, extras: frozenset[str]) -> Iterator[str]:
    properties = schema["properties"]
    for name in schema.get("required", ()):
        if name not in raw and sunset_of(properties[name]) is None:
            yield f"{place}: {name} is required and missing"
    for name, value in raw.items():
        if name not in properties:
            if name not in extras:
                yield f"{place}: {name} is not described"
            continue
        if sunset_of(properties[name]) is not None:
            yield f"{place}: {name} has been announced to go, and is told"
        yield from faults_in(value, properties[name], f"{place}.{name}", extras)
