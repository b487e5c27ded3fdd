"""Forged fields of what a record says: each in a text that means a value, and is not the one in which a desk writes it.

The line of a record is changed in one leaf or one table, split into its parts as a desk splits it, and committed and
signed as the holder of the key can. What a field may hold comes from the verifier's table of the facts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from state.proof.export import _hidden, _record
from state.proof.parts import split
from state.proof.signing_key import SigningKey
from tests.proof.journals import verifier
from tests.proof.owner import Export, Forgery, Lines

SCRIPTS = ("\u0660", "\u06f0", "\u0966", "\u09e6", "\uff10", "\U0001d7ce", "\U0001d7d8", "\U0001d7f6")
"""The zero of other digits: Arabic, Persian, Devanagari, Bengali, full-width, and of mathematics."""
LOOK_ALIKE = str.maketrans("aceiopxysABCEHKMOPTX-.:", "асеіорхуѕАВСЕНКМОРТХ−․։")
UNSEEN = ("\u200b", "\u00a0", " ", "\ufeff", "\u202e", "\u0301", "\n", "\t", "\x00")
OF_OTHER_TYPES: tuple[Any, ...] = (None, True, False, 0, 1, 1.5, "", "x", [], {}, [None], {"note": 1})


@dataclass(frozen=True)
class Leaf:
    """A value in a line: where it stands and the form that it has to have."""

    path: tuple[str | int, ...]
    form: str
    value: Any


def leaves(line: dict[str, Any]) -> Iterator[Leaf]:
    """Yield every value of the line's data, tables and lists too, with its form."""
    program = verifier()
    name = program.EARLIER_NAMES.get(line["fact"], line["fact"])
    fields = program.FACTS[name].partition(" ")[2]
    yield Leaf(("data",), "fields", line["data"])
    yield from _of_fields(line["data"], fields, ("data",))


def _of_fields(value: dict[str, Any], fields: str, path: tuple[str | int, ...]) -> Iterator[Leaf]:
    for field in fields.split():
        name, _, form = re.split("([:=])", field, maxsplit=1)
        if name in value:
            yield from _of_form(value[name], form, (*path, name))


def _of_form(value: Any, form: str, path: tuple[str | int, ...]) -> Iterator[Leaf]:
    program = verifier()
    kind, inner = form[0], form[1:]
    if kind == "?":
        yield from [Leaf(path, form, None)] if value is None else _of_form(value, inner, path)
    elif kind == "*":
        yield Leaf(path, form, value)
        for number, each in enumerate(value):
            yield from _of_form(each, inner, (*path, number))
    elif kind == ">":
        for name, each in value.items():
            yield from _of_form(each, inner, (*path, name))
    elif kind == "&":
        for number, (each, one) in enumerate(zip(value, inner.split(","), strict=True)):
            yield from _of_form(each, one, (*path, number))
    elif "|" in form:
        yield from _of_form(
            value, next(one for one in form.split("|") if program.has_form(value, one, str(path[-1]), True)), path
        )
    elif form in program.CLASSES:
        yield Leaf(path, "fields", value)
        yield from _of_fields(value, program.CLASSES[form], path)
    elif form in program.ENUMERATIONS:
        yield Leaf(path, "enumeration", value)
    else:
        yield Leaf(path, form, value)


# ── another text of a value ──────────────────────────────────────────────────────────────────────────────────────────


def _other_digits(text: str, chance: Random) -> str:
    """Some or all digits of another script; one more where there is none."""
    zero = ord(chance.choice(SCRIPTS))
    places = [at for at, each in enumerate(text) if each in "0123456789"]
    if not places:
        return text + chr(zero)
    taken = set(places if chance.random() < 0.5 else chance.sample(places, 1))
    return "".join(chr(zero + int(each)) if at in taken else each for at, each in enumerate(text))


def _unseen(text: str, chance: Random) -> str:
    at = chance.choice([0, len(text), chance.randint(0, len(text))])
    return text[:at] + chance.choice(UNSEEN) + text[at:]


def amount(value: str, chance: Random) -> Any:
    digits = value.lstrip("-")
    return chance.choice(
        [
            _other_digits(value, chance),
            _unseen(value, chance),
            "+" + digits,
            "-+" + digits,
            "--" + digits,
            "\u2212" + digits,
            "0" + digits,
            "-00" + digits,
            value + ".",
            "." + digits,
            value.replace(".", ",") if "." in value else value + ",0",
            "1_000",
            "1,000.00",
            value + "e0",
            value + "E0",
            value + "E+0",
            value + "E+00",
            "1E3",
            "1e+3",
            "10E+3",
            "1E+03",
            "1E+9999",
            "1E-9999",
            "1E+999999999999",
            "-0E-" + "9" * 30,
            "0E+5000",
            "9" * chance.choice([61, 100, 5000]),
            "0." + "0" * 70 + "1",
            "0x1",
            "1/2",
            "½",
            "Ⅷ",
            "五",
            "²",
            *("NaN", "nan", "sNaN", "Infinity", "-inf", "∞", "", "-", "+", ".", "E", "null"),
            *(int(float(value)) if abs(float(value)) < 10**9 else 1, float(value), [value], {"value": value}, True),
        ]
    )


def time(value: str, chance: Random) -> Any:
    day, clock = value[:10], value[11:19]
    return chance.choice(
        [
            _other_digits(value, chance),
            _unseen(value, chance),
            value.lower(),
            value.replace("T", " "),
            value.replace("T", "t"),
            value[:-1],
            value[:-1] + "z",
            value[:-1] + "+00:00",
            value[:-1] + "-00:00",
            value[:-1] + "ZZ",
            f"{day}T{clock}+01:00",
            f"{day}T{clock}.5Z",
            f"{day}T{clock}.000000Z",
            f"{day}T{clock}.123Z",
            f"{day}T{clock}.1234567Z",
            f"{day}T{clock},123456Z",
            f"{day}T24:00:00Z",
            f"{day}T23:59:60Z",
            f"{day}T23:60:00Z",
            f"{day}T{clock[:5]}Z",
            f"{day.replace('-', '')}T{clock.replace(':', '')}Z",
            f"{day[:4]}-02-30T{clock}Z",
            f"{day[:4]}-00-10T{clock}Z",
            f"{day[:4]}-W01-1T{clock}Z",
            f"0000{value[4:]}",
            f"+{value}",
            f"1{value}",
            day,
            clock,
            1_700_000_000,
            1_700_000_000.5,
            "",
        ]
    )


def day(value: str, chance: Random) -> Any:
    return chance.choice(
        [
            _other_digits(value, chance),
            _unseen(value, chance),
            value.replace("-", ""),
            value.replace("-", "/"),
            value.replace("-", "\u2010"),
            f"{value[:4]}-1-5",
            f"{value[:4]}-W02-1",
            f"{value[:4]}-005",
            f"{value[:4]}-02-30",
            f"{value[:4]}-13-01",
            f"0000{value[4:]}",
            f"1{value}",
            f"{value}T00:00:00Z",
            f"{value}Z",
            20_260_105,
            "",
        ]
    )


def number(value: int, chance: Random) -> Any:
    return chance.choice(
        [str(value), float(value), value + 0.5, [value], 2**63, 2**64, -(2**63), "", f"{value}.0", f"0{value}"]
    )


def flag(value: bool, chance: Random) -> Any:
    return chance.choice([str(value), str(value).lower(), int(value), float(value), "yes", "1", [value], "", "\u200b"])


def enumeration(value: str, chance: Random) -> Any:
    made = [
        _unseen(value, chance),
        _other_digits(value, chance),
        value + "_",
        value[:-1] + "ı",
        f"{value} | {value}",
        "",
        "unknown",
        0,
        [value],
    ]
    for other in (value.upper(), value.lower(), value.title(), value.translate(LOOK_ALIKE), value.replace(" ", "_")):
        if not any(other in known.split(" | ") for known in verifier().ENUMERATIONS.values()):
            made.append(other)
    return chance.choice(made)


def identifier(value: str, chance: Random) -> Any:
    odd = value.translate(LOOK_ALIKE)
    made = [_unseen(value, chance), _other_digits(value, chance), 0, [value], value + "/", value + "é", value + "\x7f"]
    return chance.choice([*made, odd] if odd != value else made)


def nothing(_value: None, chance: Random) -> Any:
    return chance.choice([False, [], {}, "null", "None", "nil", "NULL", "-", " ", "\u200b"])


def several(value: list[Any], chance: Random) -> Any:
    return chance.choice([{"0": value}, None, "", 0, True, {str(at): each for at, each in enumerate(value)}])


def fields(value: dict[str, Any], chance: Random) -> Any:
    """One more, one less, another name, another order, a list of them."""
    pairs = list(value.items())
    how = chance.choice(("one more", "one less", "another name", "another order", "no table")) if pairs else "one more"
    at = chance.randrange(len(pairs) + (how == "one more"))
    match how:
        case "one more":
            name = chance.choice(["note", "_", "v", "fact", "data", "seq", *(f"{each}2" for each in value)])
            pairs.insert(at, (name, chance.choice(OF_OTHER_TYPES)))
            return dict(pairs) if name not in value else {**value, "one_more": {"and": {"inside": 1}}}
        case "one less":
            pairs.pop(at)
        case "another name":
            name, held = pairs[at]
            pairs[at] = (chance.choice([name + "_", name[1:] or "x", "x" + name, name + "_id_id"]), held)
        case "another order" if len(pairs) > 1:
            pairs.insert(chance.choice([place for place in range(len(pairs)) if place != at]), pairs.pop(at))
        case _:
            return chance.choice([[value], list(value.values()), [[*each] for each in pairs], "x", 1])
    return dict(pairs)


VARIANTS: dict[str, Callable[[Any, Random], Any]] = {
    "amount": amount,
    "time": time,
    "day": day,
    "number": number,
    "flag": flag,
    "enumeration": enumeration,
    "identifier": identifier,
    "null": nothing,
    "list": several,
    "fields": fields,
}
KINDS = (*VARIANTS, "fact", "version", "json")


def kind_of(leaf: Leaf) -> str | None:
    if leaf.value is None:
        inner = leaf.form[1:]
        return "null" if not re.search(r"\btext\b|settings", inner) else None
    if leaf.form[0] == "*":
        return "list"
    if leaf.form in verifier().IDENTIFIERS:
        return "identifier"
    return leaf.form if leaf.form in VARIANTS else None


# ── a forged record ──────────────────────────────────────────────────────────────────────────────────────────────────


def forged_text(lines: Lines, key: SigningKey, texts: dict[int, bytes], kind: str, chance: Random) -> Forgery | None:
    """One record with a field of this kind in another text; None where this export shows none.

    `texts` has the journal's lines by their numbers.
    """
    export = Export(lines, key)
    at = chance.randrange(len(export.records))
    number_of = export.numbers[at]
    line = orjson.loads(texts[number_of])
    hidden = _hidden(export.contents["kept_back"])
    if kind == "json":
        how = _another_json(export, at, chance)
        export.grow_trees()
        made = export.lines()
        return Forgery("text.json", how, made) if how and made != lines else None
    if kind == "fact":
        program = verifier()
        name = chance.choice(
            [line["fact"] + "2", line["fact"][:-1], line["fact"].lower().title() + "x", "Fact", "Settings", "Proposal"]
        )
        if name in program.FACTS or name in program.EARLIER_NAMES:
            return None
        line["fact"] = name
    elif kind == "version":
        line["v"] = chance.choice([0, -1, 99, 2**62, 1.0, "1", True, None, [1]])
    else:
        found = [leaf for leaf in leaves(line) if kind_of(leaf) == kind]
        if not found:
            return None
        leaf = chance.choice(found)
        _put(line, leaf.path, VARIANTS[kind](leaf.value, chance))
    before = export.records[at]
    export.records[at] = _as_exported(number_of, line, key, hidden, before)
    shown = [part for part in export.records[at]["parts"] if not (isinstance(part, dict) and "hash" in part)]
    if shown == [part for part in before["parts"] if not (isinstance(part, dict) and "hash" in part)]:
        return None
    export.grow_trees()
    return Forgery(f"text.{kind}", kind, export.lines())


def _as_exported(number_of: int, line: Any, key: SigningKey, hidden: Collection[Any], before: Any) -> dict[str, Any]:
    version = 2
    made = _record(number_of, split(json.dumps(line, ensure_ascii=False).encode(), version), key, hidden)
    return {**made, **({"way": before["way"]} if "way" in before else {})}


def _put(line: Any, path: tuple[str | int, ...], value: Any) -> None:
    for step in path[:-1]:
        line = line[step]
    line[path[-1]] = value


def _another_json(export: Export, at: int, chance: Random) -> str | None:
    """A shown part in another text of the same or of no JSON: escapes, blanks, a name twice, no number."""
    parts = export.records[at]["parts"]
    place = chance.choice([each for each, part in enumerate(parts) if isinstance(part, str) or "text" in part])
    text = parts[place] if isinstance(parts[place], str) else parts[place]["text"]
    made = _escaped(text, chance)
    if made is None or made == text:
        return None
    if isinstance(parts[place], str):
        parts[place] = made
    else:
        parts[place]["text"] = made
    return "another JSON"


def _escaped(text: str, chance: Random) -> str | None:
    how = chance.randrange(9)
    letters = [found.start() for found in re.finditer(r"(?<=[\"A-Za-z0-9])[A-Za-z0-9](?=[A-Za-z0-9\"])", text)]
    names = list(re.finditer(r'"[a-z_]+":', text))
    numbers = list(re.finditer(r"(?<=[:,\[])[0-9]+(?=[,}\]])", text))
    if how == 0 and letters:
        place = _inside_a_text(text, letters, chance)
        return (
            None if place is None else f"{text[:place]}\\u{ord(text[place]):04{chance.choice('xX')}}{text[place + 1 :]}"
        )
    if how == 1:
        return chance.choice([" ", "\n", "\ufeff", "\t"]) + text
    if how == 2:
        return text + chance.choice([" ", "\n", ",", "\x00", "{}", "[]"])
    if how == 3 and names:
        name = chance.choice(names)
        return text[: name.start()] + name[0] + "null," + text[name.start() :]
    if how == 4 and names:
        name = chance.choice(names)
        return text[: name.end()] + " " + text[name.end() :]
    if numbers and 5 <= how <= 7:
        found = chance.choice(numbers)
        odd = [".0", "e0", "E+0", ".00", "e1"]
        other = chance.choice(
            [found[0] + chance.choice(odd), "0" + found[0], "+" + found[0], "-0", "NaN", "Infinity", "0x1", "1" * 4999]
        )
        return text[: found.start()] + other + text[found.end() :]
    return text.replace("/", "\\/", 1) if "/" in text else None


def _inside_a_text(text: str, places: list[int], chance: Random) -> int | None:
    """A letter inside of quotes, and of no mark and no escape."""
    inside = [at for at in places if text[:at].replace('\\"', "").count('"') % 2 and text[at - 1] not in "\\u#"]
    return chance.choice(inside) if inside else None
