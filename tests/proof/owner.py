"""What the holder of the key can sign: an export taken apart, changed in one field of its structure, and signed anew.

Every hash, tree, chain and signature fits what was changed, so that only the form and the order of the fields tell.
Each field has its own list of what is done to it: another type, missing, twice, in another place, one more beside it,
an extreme, other characters. `DAYS` are what is done to whole days.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Any

import orjson

from state.proof.parts import Part, commitment, leaf, root, salt_of_part
from state.proof.signing_key import SigningKey

Lines = list[bytes]


@dataclass(frozen=True)
class Raw:
    """JSON as it is to be written."""

    text: str


@dataclass(frozen=True)
class Pairs:
    """An object whose names may stand twice."""

    pairs: tuple[tuple[str, Any], ...]


def json_of(value: Any) -> str:
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, Pairs | dict):
        pairs = value.pairs if isinstance(value, Pairs) else value.items()
        return "{" + ",".join(f"{json_of(name)}:{json_of(each)}" for name, each in pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_of, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


class Export:
    """An export taken apart. `lines` signs it as it stands then."""

    def __init__(self, lines: Lines, key: SigningKey) -> None:
        self.key = key
        self.contents: Any = orjson.loads(lines[0])["record"]
        many = self.contents["heads"]
        self.heads: list[Any] = [orjson.loads(line)["head"] for line in lines[1 : 1 + many]]
        self.records: list[Any] = [orjson.loads(line) for line in lines[1 + many :]]
        self.numbers = [record["seq"] for record in self.records]
        self.envelopes: dict[int, Callable[[Any], Any]] = {}
        """What is done to a signed line once it is signed, by its place."""
        self.own: set[tuple[int, str]] = set()
        """Fields that stay what they are although the chain would make them anew: the place of a head, -1 is the first
        line, and the name."""

    @property
    def is_whole(self) -> bool:
        return "salt" in self.records[0]

    def days(self) -> Iterator[tuple[dict[str, Any], list[int]]]:
        """Each shown head with the places of its records."""
        for head in self.heads:
            places = [at for at, number in enumerate(self.numbers) if head["first"] <= number <= head["last"]]
            if places:
                yield head, places

    def grow_trees(self) -> None:
        """The roots, ways and sums that the records make now; of an excerpt the sums alone can be."""
        for head, places in self.days():
            last = self.records[places[-1]]
            if self.is_whole and self.numbers[places[-1]] == head["last"]:
                told = _sum_in(last)
                if told is not None:
                    head["sum"] = sha256(_salt(last.get("salt")) + _text(told)).hexdigest()
            if not self.contents["is_excerpt"]:
                leaves = [_leaf(self.numbers[at], self.records[at]) for at in places]
                head["root"] = root(leaves).hex()

    def lines(self) -> Lines:
        before, signed = "0" * 64, []
        for at, head in enumerate(self.heads):
            if isinstance(head, dict) and "before" in head and (at, "before") not in self.own:
                head["before"] = before
            text = json_of(head)
            before = sha256(text.encode(errors="surrogatepass")).hexdigest()
            signed.append(self._signed("head", text, 1 + at))
        if isinstance(self.contents, dict) and "head" in self.contents and (-1, "head") not in self.own:
            self.contents["head"] = before
        first = self._signed("record", json_of(self.contents), 0)
        return [first, *signed, *(json_of(record).encode(errors="surrogatepass") for record in self.records)]

    def _signed(self, name: str, text: str, place: int) -> bytes:
        signature = self.key.sign(f"keyturn {name} 1\n".encode() + text.encode(errors="surrogatepass")).hex()
        made = self.envelopes.get(place, lambda value: value)({name: Raw(text), "signature": signature})
        return json_of(made).encode(errors="surrogatepass")


def _text(value: Any) -> bytes:
    return (value if isinstance(value, str) else json_of(value)).encode(errors="surrogatepass")


def _leaf(number: int, record: Any) -> bytes:
    """As a verifier that looks at nothing would work it out."""
    hashes = []
    parts = record["parts"] if isinstance(record.get("parts"), list) else []
    for part, content in zip(Part, parts, strict=False):
        if "salt" in record and isinstance(record["salt"], str):
            salt = salt_of_part(_salt(record["salt"]), part)
            hashes.append(commitment(salt, part, _text(content)))
        elif isinstance(content, dict) and "hash" in content:
            hashes.append(_salt(content["hash"]))
        elif isinstance(content, dict):
            hashes.append(commitment(_salt(content.get("salt", "")), part, _text(content.get("text", ""))))
    return leaf(number, hashes)


def _salt(text: Any) -> bytes:
    try:
        return bytes.fromhex(text)
    except (TypeError, ValueError):
        return b""


def _sum_in(record: Any) -> str | None:
    try:
        skeleton, _, _, texts = (orjson.loads(part) for part in record["parts"])
        told = skeleton["sum"]
        told = texts[int(told[2:])] if told.startswith("#") else told
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    return told if isinstance(told, str) else None


# ── what is done to a field ──────────────────────────────────────────────────────────────────────────────────────────

Change = Callable[[dict[str, Any], str, Random], Any]
"""The object with one of its fields changed; a copy."""


def missing(fields: dict[str, Any], name: str, chance: Random) -> Any:
    return {each: value for each, value in fields.items() if each != name}


def beside(fields: dict[str, Any], name: str, chance: Random) -> Any:
    """One more field: of a name that looks like this one, or of any other."""
    other = chance.choice([name + "\u200b", name.upper(), " " + name, name + "_", "", "note", "\u202e" + name])
    pairs = [*fields.items()]
    pairs.insert(chance.randint(0, len(pairs)), (other, fields[name]))
    return Pairs(tuple(pairs))


def twice(fields: dict[str, Any], name: str, chance: Random) -> Any:
    """The same name again, before or behind, with the same or another value."""
    pairs = [*fields.items()]
    value = fields[name] if chance.random() < 0.5 else chance.choice(OF_ANY_KIND)
    pairs.insert(chance.randint(0, len(pairs)), (name, value))
    return Pairs(tuple(pairs))


def elsewhere(fields: dict[str, Any], name: str, chance: Random) -> Any:
    others = [each for each in fields if each != name]
    places = [at for at in range(len(others) + 1) if at != [*fields].index(name)]
    if not places:
        return missing(fields, name, chance)
    others.insert(chance.choice(places), name)
    return {each: fields[each] for each in others}


def renamed(fields: dict[str, Any], name: str, chance: Random) -> Any:
    other = chance.choice([name.upper(), name + "\u200b", name[:-1], f"{name}2", "\u0430" + name[1:], f"\x1b[2K{name}"])
    return {other if each == name else each: value for each, value in fields.items()}


OF_ANY_KIND: tuple[Any, ...] = (
    None, True, False, [], {}, "", "x", Raw("0.5"), Raw("NaN"), -1, "\u200b", [[]], {"a": 1},
)  # fmt: skip
EXTREMES = (0, -1, 2**63, 2**64, -(2**63), 10**30, Raw("1e400"), Raw("-0"), Raw("1e2"), Raw("1E+2"), Raw("9" * 5000))


def other_kind(fields: dict[str, Any], name: str, chance: Random) -> Any:
    kinds = [each for each in OF_ANY_KIND if type(each) is not type(fields[name])]
    value = fields[name]
    if type(value) is int:
        kinds += [Raw(f"{value}.0"), Raw(f"{value}e0"), str(value), [value], {"v": value}, float(value), bool(value)]
    if type(value) is str:
        kinds += [[value], {"text": value}, len(value)]
    if type(value) is bool:
        kinds += [int(value), str(value).lower(), float(value)]
    return {**fields, name: chance.choice(kinds)}


def extreme(fields: dict[str, Any], name: str, chance: Random) -> Any:
    value = fields[name]
    if type(value) is int:
        made = chance.choice([*EXTREMES, value + 1, value - 1, value + chance.randint(2, 10**6), -value])
    elif type(value) is str:
        made = chance.choice([value * 1000, value[:-1], value + value[-1:], value[1:], "", "0" * 10_000])
    elif type(value) is list:
        made = chance.choice([value * 2 + [None], [value], [None] * 10_000, [*value, []]])
    else:
        made = chance.choice(EXTREMES)
    return {**fields, name: made}


def characters(fields: dict[str, Any], name: str, chance: Random) -> Any:
    """Letters that are not seen, that look like others, or that a terminal acts on."""
    value = fields[name]
    if type(value) is int:
        return {**fields, name: chance.choice([Raw(f"{value} "), Raw(f" {value}"), Raw(f"0{value}"), Raw(f"+{value}")])}
    if type(value) is bool:
        return {**fields, name: Raw(str(value))}
    if type(value) is not str:
        return {**fields, name: [*value, "amounts\u200b"] if type(value) is list else "\u200b"}
    odd = chance.choice(
        ["\u200b", "\u202e", "\ufeff", "\x1b[2J\rcomplete: ", "\n", "\x00", " ", "\u0301", "\x7f", "\x9b"]
    )
    at = chance.choice([0, len(value), len(value), len(value) // 2])
    made = [
        value[:at] + odd + value[at:],
        wide(value),
        Raw(f'"{value}\\ud800"'),
        Raw(f'"\\u00{ord(value[:1] or "a"):02x}{value[1:]}"'),
    ]
    if value.upper() != value:
        made.append(value.upper())
    return {**fields, name: chance.choice(made)}


def wide(text: str) -> str:
    """With the digits and letters that take two cells; a sign where there is none of them."""
    made = "".join(chr(ord(each) + 0xFEE0) if each.isalnum() and each.isascii() else each for each in text)
    return made if made != text else text + "\uff10"


CHANGES: tuple[Change, ...] = (missing, beside, twice, elsewhere, renamed, other_kind, extreme, characters)

CONTENTS = ("v", "first_day", "last_day", "heads", "records", "is_excerpt", "kept_back", "head", "key", "ends")
HEAD = ("v", "number", "day", "first", "last", "sum", "root", "before", "key")
LINE = ("seq", "at", "fact", "v", "data", "sum")


@dataclass(frozen=True)
class Forgery:
    """One that was made: of which field, and how."""

    field: str
    change: str
    lines: Lines


def forged(lines: Lines, key: SigningKey, field: str, chance: Random) -> Forgery | None:
    """This field changed in one way, all else signed to fit; None where this export does not have it."""
    export = Export(lines, key)
    where, _, name = field.partition(".")
    change = FIELDS[where](export, name, chance)
    if change is None or (made := export.lines()) == lines:
        return None
    return Forgery(field, change, made)


def _of_contents(export: Export, name: str, chance: Random) -> str | None:
    if name not in export.contents:
        return None
    change = chance.choice(CHANGES)
    export.lines()
    export.contents = change(export.contents, name, chance)
    export.own.add((-1, "head"))
    return change.__name__


def _of_head(export: Export, name: str, chance: Random) -> str:
    change, at = chance.choice(CHANGES), chance.randrange(len(export.heads))
    export.lines()
    export.heads[at] = change(export.heads[at], name, chance)
    export.own.add((at, "before"))
    return change.__name__


def _of_signed(export: Export, name: str, chance: Random) -> str:
    """Of the line around what is signed."""
    change, at = chance.choice(CHANGES), chance.randrange(1 + len(export.heads))
    inner = name if name == "signature" else ("record" if at == 0 else "head")

    def changed(fields: dict[str, Any]) -> Any:
        if inner != "signature" and change in (other_kind, extreme, characters):
            return {**fields, inner: chance.choice([None, [], "", [fields[inner]], {}, 1])}
        return change(fields, inner, chance)

    export.envelopes[at] = changed
    return change.__name__


def _of_record(export: Export, name: str, chance: Random) -> str | None:
    at = chance.randrange(len(export.records))
    if name not in export.records[at]:
        return None
    change = chance.choice(CHANGES)
    export.records[at] = change(export.records[at], name, chance)
    if isinstance(export.records[at], dict):
        export.grow_trees()
    return change.__name__


def _of_part(export: Export, name: str, chance: Random) -> str | None:
    """Of a part that is shown or kept back beside others."""
    at = chance.randrange(len(export.records))
    parts = export.records[at]["parts"]
    places = [place for place, part in enumerate(parts) if isinstance(part, dict) and name in part]
    if not places:
        return None
    change, place = chance.choice(CHANGES), chance.choice(places)
    if name == "text":
        change = chance.choice((missing, beside, twice, elsewhere, renamed, other_kind))
    parts[place] = change(parts[place], name, chance)
    if not isinstance(parts[place], Pairs):
        export.grow_trees()
    return change.__name__


def _of_parts(export: Export, name: str, chance: Random) -> str:
    """How many there are, and in which order."""
    at = chance.randrange(len(export.records))
    parts = export.records[at]["parts"]
    how = chance.choice(("one less", "one more", "another order", "of another kind"))
    match how:
        case "one less":
            parts.pop(chance.randrange(4))
        case "one more":
            parts.insert(chance.randint(0, 4), parts[chance.randrange(4)])
        case "another order":
            one, other = chance.choice([(0, 1), (0, 2), (0, 3)])
            parts[one], parts[other] = parts[other], parts[one]
        case _:
            parts[chance.randrange(4)] = chance.choice([None, 1, [], True, {"hash": "00"}, {"salt": "", "text": "[]"}])
    export.grow_trees()
    return how


def _of_line(export: Export, name: str, chance: Random) -> str | None:
    """Of what a record says: its skeleton, with the trees and the sums to fit."""
    if not _can_grow(export):
        return None
    at = chance.randrange(len(export.records))
    skeleton = orjson.loads(_shown(export.records[at], 0))
    value = skeleton[name]
    change = chance.choice(CHANGES)
    if name == "at":
        how, made = _another_time(value, skeleton, chance)
        if how is not None:
            skeleton["at"] = made
            return _kept(export, at, 0, json_of(skeleton), how)
    if name == "seq" and chance.random() < 0.3:
        skeleton["seq"] = chance.choice([value + 1, value - 1, max(export.numbers) + 1])
        return _kept(export, at, 0, json_of(skeleton), "another number")
    if name == "data" and change in (extreme, characters, other_kind):
        skeleton["data"] = chance.choice([None, 1, True, [], "x", [value], Raw("0.5"), "", "#d0", "#"])
        return _kept(export, at, 0, json_of(skeleton), "another kind")
    if name == "fact" and change in (extreme, characters):
        skeleton["fact"] = chance.choice(
            ["", "bar", "Bar Closed", "1Bar", "Bar-Closed", "#s0", wide(value), value + "\u200b"]
        )
        return _kept(export, at, 0, json_of(skeleton), change.__name__)
    if name == "v" and change is extreme:
        skeleton["v"] = chance.choice(EXTREMES)
        return _kept(export, at, 0, json_of(skeleton), change.__name__)
    if name == "sum" and change in (extreme, characters, other_kind):
        return _another_sum(export, at, chance)
    return _kept(export, at, 0, json_of(change(skeleton, name, chance)), change.__name__)


def _another_time(value: str, skeleton: Any, chance: Random) -> tuple[str | None, Any]:
    how = chance.choice((None, "another day", "another form"))
    if how == "another day":
        return how, chance.choice(["1999-12-31", "2025-11-10", "2026-01-01", "0001-01-01", "9999-12-31"]) + value[10:]
    forms = (
        value[:-1], value[:-1] + "+00:00", value.replace("T", " "), value[:10], value[:-1] + ".0Z",
        "t".join(value.split("T")),
    )  # fmt: skip
    forms += (value[:-1] + ".000000Z", value[:11] + "25:00:00Z", value[:5] + "13-01T00:00:00Z", value[:-1] + "z")
    return how, chance.choice(forms)


def _another_sum(export: Export, at: int, chance: Random) -> str | None:
    """In the text that holds it; where texts are kept back, one that is shown all the same."""
    if not export.is_whole:
        shown = orjson.loads(_shown(export.records[at], 0)) | {"sum": "ab" * 16}
        return _kept(export, at, 0, json_of(shown), "a shown sum")
    texts = orjson.loads(export.records[at]["parts"][3])
    if not texts or not isinstance(texts[-1], str):
        return None
    texts[-1] = chance.choice(
        [texts[-1][:-1], texts[-1].upper() + "Z", "", texts[-1] + "\u200b", "0" * 33, wide(texts[-1])]
    )
    return _kept(export, at, 3, json_of(texts), "another sum")


def _of_values(export: Export, name: str, chance: Random) -> str | None:
    """Of the lists that a record's values stand in, and of the marks in their places."""
    place = {"amounts": 1, "symbols": 2, "texts": 3}[name]
    mark = "ast"[place - 1]
    if not _can_grow(export):
        return None
    places = [at for at, record in enumerate(export.records) if _shown(record, place) not in (None, "[]")]
    if not places:
        return None
    at = chance.choice(places)
    record = export.records[at]
    values, skeleton = orjson.loads(_shown(record, place)), _shown(record, 0)
    how = chance.choice(
        ("one less", "one more", "of another kind", "no list", "a mark twice", "a mark too far", "no JSON", "odd")
    )
    match how:
        case "one less":
            values.pop()
        case "one more":
            values.append(values[0])
        case "of another kind":
            values[chance.randrange(len(values))] = chance.choice(
                [None, 1, True, [], [[]], Raw("1e400"), Raw("NaN"), Raw('{"a":1e400}'), Raw('{"a":[-1e400]}')]
            )
        case "no list":
            return _kept(export, at, place, chance.choice(['{"0":"1"}', '"1"', "null", "1", ""]), how)
        case "a mark twice" if len(values) > 1:
            return _kept(export, at, 0, skeleton.replace(f'"#{mark}1"', f'"#{mark}0"'), how)
        case "a mark too far" | "a mark twice":
            last = len(values) - 1
            other = chance.choice(
                [f"#{mark}{last + 1}", f"#{mark}-1", f"#{mark}0{last}", f"#{mark}", f"#{mark}{last} ", f"#x{last}"]
            )
            return _kept(export, at, 0, skeleton.replace(f'"#{mark}{last}"', f'"{other}"'), how)
        case "no JSON":
            return _kept(
                export, at, place,
                chance.choice([json_of(values) + ",", "[" * 5000, json_of(values)[:-1], "\x1b[2J"]), how,
            )  # fmt: skip
        case _:
            twisted = skeleton.replace('"seq":', chance.choice(['"se\u200bq":', '"x y":1,"seq":', '"seq":1,"seq":']), 1)
            return _kept(export, at, 0, twisted, how)
    return _kept(export, at, place, json_of(values), how)


def _can_grow(export: Export) -> bool:
    """An excerpt holds too little of its tree to make it anew."""
    return not export.contents["is_excerpt"]


def _shown(record: Any, place: int) -> Any:
    part = record["parts"][place]
    return part if isinstance(part, str) else part.get("text")


def _kept(export: Export, at: int, place: int, text: str, how: str) -> str:
    parts = export.records[at]["parts"]
    if isinstance(parts[place], str):
        parts[place] = text
    else:
        parts[place]["text"] = text
    export.grow_trees()
    return how


# ── what is done to days ─────────────────────────────────────────────────────────────────────────────────────────────


def _of_end(export: Export, name: str, chance: Random) -> str | None:
    if not export.contents["is_excerpt"]:
        return None
    change = chance.choice(CHANGES)
    ends = export.contents["ends"]
    at = chance.randrange(len(ends))
    ends[at] = change(ends[at], name, chance)
    return change.__name__


def _of_days(export: Export, name: str, chance: Random) -> str | None:
    if len(export.heads) < 2 or not (_can_grow(export) or name == a_moved_border.__name__):
        return None
    return DAYS[name](export, chance)


def _renumber(export: Export) -> None:
    for number, head in enumerate(export.heads, start=1):
        head["number"] = number
    export.contents["heads"] = len(export.heads)
    export.contents["last_day"] = export.heads[-1]["day"]


def a_day_backwards(export: Export, chance: Random) -> str:
    """An empty day that takes the numbers back, and the last day again under them: it replaces what was there."""
    last = export.heads[-1]
    back = chance.choice([1, export.heads[0]["first"], last["first"]])
    odd = chance.choice(["\u200b", "-01", " ", "T", "\x1b[2K\rcomplete: 100 records", "0", "\uff10"])
    empty = {
        **last, "day": last["day"] + odd, "first": last["last"] + 1, "last": back - 1, "root": sha256().hexdigest(),
    }  # fmt: skip
    again = {**last, "day": last["day"] + odd + odd, "first": back}
    export.heads += [empty, again]
    _renumber(export)
    export.contents["first_day"] = export.contents["last_day"]
    shown = [record for record in export.records if record["seq"] >= back]
    export.records, export.numbers = shown, [record["seq"] for record in shown]
    export.contents["records"] = len(shown)
    return "backwards"


def an_empty_day(export: Export, chance: Random) -> str:
    at = chance.randrange(len(export.heads))
    head = export.heads[at]
    export.heads.insert(
        at + 1, {**head, "first": head["last"] + 1, "day": head["day"][:8] + "30", "root": sha256().hexdigest()}
    )
    _renumber(export)
    return "empty"


def a_repeated_day(export: Export, chance: Random) -> str:
    at = chance.randrange(len(export.heads))
    export.heads.insert(at, dict(export.heads[at]))
    _renumber(export)
    return "repeated"


def days_in_another_order(export: Export, chance: Random) -> str:
    one, other = chance.sample(range(len(export.heads)), 2)
    first, second = export.heads[one], export.heads[other]
    name = chance.choice(["day", "range", "all", "number"])
    if name == "all":
        export.heads[one], export.heads[other] = second, first
    for key in {"day": ("day",), "range": ("first", "last"), "number": ("number",)}.get(name, ()):
        first[key], second[key] = second[key], first[key]
    if chance.random() < 0.5 and name == "all":
        _renumber(export)
    return f"another order of {name}"


def a_gap(export: Export, chance: Random) -> str:
    """Numbers that no day has: what stood there is gone, and nobody misses it."""
    at = chance.randrange(1, len(export.heads))
    head, by = export.heads[at], chance.choice([1, 2, 1000])
    places = [place for place, number in enumerate(export.numbers) if number == head["first"]]
    if places and head["first"] < head["last"] and by == 1:
        export.records.pop(places[0])
        export.numbers.pop(places[0])
        head["first"] += 1
        export.contents["records"] -= 1
        export.grow_trees()
        return "a gap"
    head["first"] += by
    return "a gap"


def an_overlap(export: Export, chance: Random) -> str:
    at = chance.randrange(1, len(export.heads))
    export.heads[at]["first"] -= chance.randint(1, export.heads[at]["first"] - 1)
    return "an overlap"


def another_key_between(export: Export, chance: Random) -> str:
    at = chance.randrange(len(export.heads))
    export.heads[at]["key"] = chance.choice(["00" * 32, export.heads[at]["key"].upper(), export.heads[at]["key"][::-1]])
    return "another key"


def a_day_left_out(export: Export, chance: Random) -> str:
    export.heads.pop(chance.randrange(len(export.heads) - 1))
    if chance.random() < 0.5:
        _renumber(export)
    return "left out"


def an_earlier_split(export: Export, chance: Random) -> str:
    export.heads[-1]["v"] = 1
    export.heads[-1]["sum"] = export.heads[-1]["sum"][:32]
    return "version falls"


def a_moved_border(export: Export, chance: Random) -> str | None:
    """A day ends some records earlier or later, and the next one begins there; one of the two is shown.

    An export claims nothing of where two days end of which it shows no record.
    """
    shown = {head["number"] for head, _ in export.days()}
    borders = [at for at in range(1, len(export.heads)) if shown & {at, at + 1}]
    if not borders:
        return None
    at, by = chance.choice(borders), chance.choice([-4, -3, -2, -1, 1, 2, 3, 4])
    export.heads[at - 1]["last"] += by
    export.heads[at]["first"] += by
    export.grow_trees()
    return f"border moved by {by}"


def without_end(export: Export, chance: Random) -> str:
    """More numbers than anybody could count."""
    export.heads[-1]["last"] = chance.choice([2**63 - 1, 2**62, 10**15])
    if chance.random() < 0.5:
        export.contents["records"] = export.heads[-1]["last"] - export.heads[-1]["first"] + 1
    return "without end"


DAYS: dict[str, Callable[[Export, Random], str | None]] = {
    made.__name__: made
    for made in (a_day_backwards, an_empty_day, a_repeated_day, days_in_another_order, a_gap, an_overlap)
} | {
    made.__name__: made for made in (another_key_between, a_day_left_out, an_earlier_split, a_moved_border, without_end)
}


def _of_way(export: Export, name: str, chance: Random) -> str | None:
    """The tree's ways in an excerpt: longer, shorter, of another leaf, of another form."""
    if not export.contents["is_excerpt"]:
        return None
    way = chance.choice([*export.records, *export.contents["ends"]])["way"]
    if not way:
        return None
    how = chance.choice(("shorter", "longer", "other sides", "no pair", "another form"))
    step = chance.randrange(len(way))
    match how:
        case "shorter":
            way.pop(step)
        case "longer":
            way.insert(step, [chance.choice(["left", "right"]), sha256(b"1").hexdigest()])
        case "other sides":
            way[step][0] = "left" if way[step][0] == "right" else "right"
        case "no pair":
            way[step] = chance.choice([[], way[step][:1], [*way[step], ""], {way[step][0]: way[step][1]}, None, "left"])
        case _:
            way[step] = chance.choice(
                [[way[step][0], way[step][1].upper() + " "], ["Left", way[step][1]], [0, way[step][1]]]
            )
    return how


FIELDS: dict[str, Callable[[Export, str, Random], str | None]] = {
    "contents": _of_contents, "head": _of_head, "signed": _of_signed, "record": _of_record, "part": _of_part,
    "parts": _of_parts, "line": _of_line, "values": _of_values, "days": _of_days, "way": _of_way, "end": _of_end,
}  # fmt: skip
EACH_FIELD = (
    *(f"contents.{name}" for name in CONTENTS), *(f"head.{name}" for name in HEAD),
    *(f"signed.{name}" for name in ("what", "signature")),
    *(f"record.{name}" for name in ("seq", "salt", "parts", "way")),
    *(f"part.{name}" for name in ("salt", "text", "hash")), "parts.order", *(f"line.{name}" for name in LINE),
    *(f"values.{name}" for name in ("amounts", "symbols", "texts")), *(f"days.{name}" for name in DAYS), "way.steps",
    "end.parts", "end.way",
)  # fmt: skip
