"""Checks a trading record that somebody hands you, and trusts nothing of the program that wrote it.

    python verify_record.py EXPORT --key PUBLIC [--head EARLIER] [--show]

EXPORT is what `keyturn journal export` wrote. PUBLIC is its owner's public key: 64 hex digits, or a file that holds
them; get it by another way than the export. EARLIER is a head that was published or kept before: its line in a file, or
its hash. This file imports nothing of Keyturn, only the standard library and `cryptography`.

It prints what the record is, and ends with 0 where it is complete, with 1 where it is not:

    cut         records or days are missing
    edited      something is not what was signed, or a field has another form than an export gives it
    reordered   all is there, in another order
    rewritten   signed by another key, or another record than the one that the earlier head belongs to

Each character outside of plain ASCII is printed escaped. What it cannot find: the holder of the private key can write
another record, unless a head of the first was published, kept elsewhere or stamped (EARLIER). What the desk wrote down
is compared with no broker: see PROOF.md.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import re
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PARTS = ("skeleton", "amounts", "symbols", "texts")
HIDES = {"amounts": {"amounts", "texts"}, "symbols": {"symbols", "texts"}}
NOTHING_BEFORE = "0" * 64
LARGEST = 2**63 - 1
Fields = dict[str, Any]
Forms = dict[str, Callable[[Any], bool]]


class Hidden:
    """In the place of what is kept back; `mark` is that of its part."""

    def __init__(self, mark: str) -> None:
        self.mark = mark


HIDDEN = {mark: Hidden(mark) for mark in "ast"}


class RecordError(Exception):
    """What the record is, and why."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(printable(f"{what}: {why}"))


def main() -> int:
    wish = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wish.add_argument("export", type=Path)
    wish.add_argument("--key", required=True, help="the public key, 64 hex digits, or a file with them")
    wish.add_argument("--head", help="an earlier head: a file with its line, or its hash")
    wish.add_argument("--show", action="store_true", help="print the records too")
    asked = wish.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the block has no letter in some terminals
    try:
        key = key_of(asked.key)
        earlier = hash_of(asked.head, key) if asked.head else None
        said = verify(asked.export.read_bytes().split(b"\n"), key, earlier, print if asked.show else None)
    except RecordError as wrong:
        print(wrong)
        return 1
    except (OSError, ValueError) as error:
        print(f"verify_record: {printable(str(error))}", file=sys.stderr)
        return 2
    print(printable(said))
    return 0


def key_of(text: str) -> str:
    key = (Path(text).read_text(encoding="utf-8") if Path(text).is_file() else text).strip().lower()
    if not is_hash(key):
        raise ValueError("a public key has 64 hex digits")
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
    return key


def hash_of(text: str, key: str) -> str:
    """Of the last head in a file, which this key has signed; or what was given, where it is a hash."""
    if Path(text).is_file():
        line = Path(text).read_bytes().strip().split(b"\n")[-1]
        return sha256(written(head_in(parsed(line, "the earlier head"), key, "the earlier head"))).hexdigest()
    if not is_hash(text.strip().lower()):
        raise ValueError("an earlier head is a file with its line, or its hash of 64 hex digits")
    return text.strip().lower()


def verify(
    lines: list[bytes], key: str, earlier: str | None = None, show: Callable[[str], object] | None = None
) -> str:
    """What a complete record holds, in words. Raises `RecordError`."""
    if lines.pop() != b"":
        raise RecordError("cut", "its last line does not end")
    told = [parsed(line, f"line {number}") for number, line in enumerate(lines, start=1)]
    if not told:
        raise RecordError("cut", "it is empty")
    has_ends = type(told[0].get("record")) is dict and "ends" in told[0]["record"]
    contents = check_signature(told[0], "record", key, "the first line", EXCERPT if has_ends else CONTENTS)
    many = contents["heads"]
    heads = heads_of(told[1 : 1 + many], contents, key)
    hashes = [sha256(written(head)).hexdigest() for head in heads]
    if hashes[-1] != contents["head"]:
        raise RecordError("edited", "its last head is not the one that its first line names")
    if earlier is not None and earlier not in hashes:
        raise RecordError("rewritten", f"the earlier head is none of its {many}: another record, or an older one")
    days = [head for head in heads if head["day"] >= contents["first_day"]]
    if not days or (days[0]["day"], days[-1]["day"]) != (contents["first_day"], contents["last_day"]):
        raise RecordError("edited", "the first and the last day that its first line names are not those of its heads")
    records = told[1 + many :]
    if contents["kept_back"] and days[0]["v"] == 1:
        raise RecordError("edited", f"{days[0]['day']} is of an earlier split, of which nothing can be kept back")
    if contents["is_excerpt"]:
        check_excerpt(records, days, heads[-len(days) - 1 :], contents)
    else:
        check_days(records, days, contents)
    for line in lines_of(records, days, contents):
        if show is not None:
            show(line)
    return in_words(contents, days, hashes, earlier)


def in_words(contents: Fields, days: list[Fields], hashes: list[str], earlier: str | None) -> str:
    what = "excerpt" if contents["is_excerpt"] else "complete"
    hidden = f", {' and '.join(contents['kept_back'])} kept back" if contents["kept_back"] else ""
    until = f"{contents['first_day']} to {contents['last_day']}"
    of_all = "" if len(days) == len(hashes) else f"the last of {len(hashes)}, "
    told = "no earlier head was given: its owner could have written it anew"
    if earlier is not None:
        told = f"the earlier head is in it, number {hashes.index(earlier) + 1}"
    signed = f"signed by {contents['key']}\nits last head is {hashes[-1]}, number {len(hashes)}"
    return f"{what}: {contents['records']} records of {len(days)} days, {of_all}{until}{hidden}\n{signed}\n{told}"


# ── the form of each field ───────────────────────────────────────────────────────────────────────────────────────────


def number_from(least: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= LARGEST


def text_like(pattern: str, flags: re.RegexFlag = re.ASCII) -> Callable[[Any], bool]:
    like = re.compile(pattern, flags)
    return lambda value: type(value) is str and like.fullmatch(value) is not None


def one_of(*values: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is type(values[0]) and value in values


def is_day(value: Any) -> bool:
    try:
        return text_like("(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}")(value) and date.fromisoformat(value) is not None
    except ValueError:
        return False


def is_time(value: Any) -> bool:
    """UTC, in the one way in which it is written."""
    try:
        return is_clock(value) and datetime.fromisoformat(value[:-1]) is not None
    except ValueError:
        return False


def is_day_written(value: Any) -> bool:
    try:
        return text_like("[0-9]{4}-[0-9]{2}-[0-9]{2}")(value) and date.fromisoformat(value) is not None
    except ValueError:
        return False


def is_kept_back(value: Any) -> bool:
    return type(value) is list and value in ([], ["amounts"], ["symbols"], ["amounts", "symbols"])


def is_way(value: Any) -> bool:
    return type(value) is list and all(
        type(step) is list and len(step) == 2 and step[0] in ("left", "right") and is_hash(step[1]) for step in value
    )


def is_end(value: Any) -> bool:
    parts, way = (value["parts"], value["way"]) if type(value) is dict and list(value) == ["parts", "way"] else ((), ())
    return type(parts) is list and len(parts) == len(PARTS) and all(map(is_hash, parts)) and is_way(way)


def are_ends(value: Any) -> bool:
    return type(value) is list and all(map(is_end, value))


is_hash, is_salt, is_signature = (text_like(f"[0-9a-f]{{{digits}}}") for digits in (64, 32, 128))
is_clock = text_like(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.(?!000000)[0-9]{6})?Z")
is_name = text_like(r"[A-Za-z0-9_.:+\-]*")
is_number_written = text_like(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?(E[+-][1-9][0-9]?)?")
# In which part a text stands is decided by its look, with the digits of any script. What a field may hold, FACTS says.
looks_like_an_amount = text_like(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.UNICODE)
looks_like_a_symbol = text_like(r"[A-Z]{1,6}([./-][A-Z]{1,4})?|[A-Z]{1,6}\d{6}[CP]\d{8}", re.UNICODE)
looks_like_a_time = text_like(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?|\d\d:\d\d(:\d\d)?", re.UNICODE)
is_key = text_like("[a-z][a-z0-9_]*")
MOST_DIGITS, MOST_ZEROS = 60, 60


def is_amount(value: Any) -> bool:
    """A number as the desk writes it: of one value with so many places there is one text."""
    if not is_number_written(value) or len(value) > MOST_DIGITS:
        return False
    number = Decimal(value)
    return str(number) == value and abs(number.adjusted()) <= MOST_ZEROS


CONTENTS = {
    "v": one_of(1),
    "first_day": is_day,
    "last_day": is_day,
    "heads": number_from(1),
    "records": number_from(1),
    "is_excerpt": one_of(False),
    "kept_back": is_kept_back,
    "head": is_hash,
    "key": is_hash,
}
EXCERPT = CONTENTS | {"v": one_of(2), "is_excerpt": one_of(True), "ends": are_ends}
HEAD = {
    "v": one_of(1, 2),
    "number": number_from(1),
    "day": is_day,
    "first": number_from(1),
    "last": number_from(1),
    "sum": text_like("[0-9a-f]{32}([0-9a-f]{32})?"),
    "root": is_hash,
    "before": is_hash,
    "key": is_hash,
}
LINE = {  # of a record, once its parts are put together: as many digits in a sum as in a salt
    "seq": number_from(1),
    "at": is_time,
    "fact": text_like("[A-Z][A-Za-z0-9]*"),
    "v": number_from(1),
    "data": lambda value: type(value) is dict,
    "sum": lambda value: value is HIDDEN["t"] or is_salt(value),
}


def check_form(fields: Any, forms: Forms, where: str) -> Fields:
    """These fields, in this order, each in its form, and no other."""
    if type(fields) is not dict or list(fields) != list(forms):
        raise RecordError("edited", f"{where} has other fields than {', '.join(forms)}, or another order of them")
    for name, has_form in forms.items():
        if not has_form(fields[name]):
            raise RecordError("edited", f"{where}: {name} is not written as an export writes it")
    return fields


def parsed(line: bytes, where: str) -> Fields:
    try:
        found = loaded(line.decode())
        if type(found) is dict and written(found) == line:
            return found
    except (ValueError, RecursionError):
        pass
    raise RecordError("edited", f"{where} is not written as an export is")


def loaded(text: str) -> Any:
    """JSON in which no name stands twice and each number is one. Raises ValueError, RecursionError."""
    return json.loads(text, object_pairs_hook=each_once, parse_constant=int, parse_float=finite)


def sound(text: str) -> Any:
    """JSON that is written as an export writes it; a number with a fraction stays as it stands."""
    value = loaded(text)
    if written(value) == text.encode():
        return value
    mark = sha256(text.encode()).hexdigest()
    again = written(json.loads(text, parse_float=lambda number: mark + number)).decode()
    if re.sub(f'"{mark}([^"]+)"', r"\1", again) != text:
        raise ValueError("written in another way")
    return value


def finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError("without an end")
    return number


def each_once(pairs: list[tuple[str, Any]]) -> Fields:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def written(fields: Any) -> bytes:
    """As it was signed: in the order of its fields, without spaces."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


def printable(text: str) -> str:
    """Without a character that a terminal would act on, or that looks like another one."""
    return "".join(each if each == "\n" or " " <= each <= "~" else ascii(each)[1:-1] for each in text)


# ── the heads ────────────────────────────────────────────────────────────────────────────────────────────────────────


def check_signature(signed: Fields, name: str, key: str, where: str, forms: Forms) -> Fields:
    fields = signed.get(name)
    if list(signed) != [name, "signature"] or type(fields) is not dict or not is_signature(signed["signature"]):
        raise RecordError("cut", f"{where} is missing")
    if fields.get("key") != key:
        raise RecordError("rewritten", f"{where} is signed by another key")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            bytes.fromhex(signed["signature"]), f"keyturn {name} 1\n".encode() + written(fields)
        )
    except InvalidSignature:
        raise RecordError("edited", f"{where} is not as it was signed") from None
    return check_form(fields, forms, where)


def head_in(signed: Fields, key: str, where: str) -> Fields:
    head = check_signature(signed, "head", key, where, HEAD)
    if is_hash(head["sum"]) is (head["v"] == 1):
        raise RecordError("edited", f"{where}: sum is not written as an export writes it")
    if head["first"] > head["last"]:
        raise RecordError("rewritten", f"{where} runs backwards")
    return head


def heads_of(told: list[Fields], contents: Fields, key: str) -> list[Fields]:
    heads = [head_in(signed, key, f"head {number} of {contents['heads']}") for number, signed in enumerate(told, 1)]
    if len(heads) < contents["heads"]:
        raise RecordError("cut", f"{len(heads)} of {contents['heads']} heads")
    numbers = [head["number"] for head in heads]
    wanted = list(range(1, len(heads) + 1))
    if numbers != wanted:
        raise RecordError(
            "reordered" if sorted(numbers) == wanted else "cut",
            f"head {next(a for a, b in zip(wanted, numbers, strict=True) if a != b)} is not there",
        )
    before, last, day, version = NOTHING_BEFORE, 0, "", 1
    for head in heads:
        follows = head["before"] == before and head["first"] == last + 1 and head["day"] > day and head["v"] >= version
        if not follows:
            raise RecordError("rewritten", f"head {head['number']} does not follow the one before it")
        before, last, day, version = sha256(written(head)).hexdigest(), head["last"], head["day"], head["v"]
    return heads


# ── the records ──────────────────────────────────────────────────────────────────────────────────────────────────────


def check_days(records: list[Fields], days: list[Fields], contents: Fields) -> None:
    """All of every day, in its order, and each day's tree is the signed one."""
    numbers, wanted = numbers_of(records), range(days[0]["first"], days[-1]["last"] + 1)
    if len(numbers) != len(wanted) or any(a != b for a, b in zip(numbers, wanted, strict=True)):
        raise RecordError(*what_differs(numbers, wanted))
    if len(records) != contents["records"]:
        raise RecordError("edited", "its first line counts other records")
    at = 0
    for head in days:
        many = head["last"] - head["first"] + 1
        leaves = [leaf_of(record, contents) for record in records[at : at + many]]
        if root_of(leaves).hex() != head["root"]:
            raise RecordError("edited", f"a record of {head['day']} is not what was signed")
        at += many


def numbers_of(records: list[Fields]) -> list[int]:
    numbers = [record.get("seq") for record in records]
    if not all(map(number_from(1), numbers)):
        raise RecordError("edited", "a record has no number")
    return numbers  # type: ignore[return-value]


def what_differs(numbers: list[int], wanted: range) -> tuple[str, str]:
    found = Counter(number for number in numbers if number in wanted)
    if missing := len(wanted) - len(found):
        first = next(number for number in wanted if number not in found)
        return "cut", f"{missing} records are missing, the first is {first}"
    if too_many := len(numbers) - len(found):
        return "edited", f"{too_many} records are in it that no day has"
    return "reordered", "its records are not in their order"


def check_excerpt(records: list[Fields], days: list[Fields], ended: list[Fields], contents: Fields) -> None:
    """Each record has its place in its day's tree; so has the last one of each day, and of the day before."""
    numbers = numbers_of(records)
    if (many := len(numbers)) != contents["records"]:
        raise RecordError("cut" if many < contents["records"] else "edited", f"{many} of {contents['records']}")
    if numbers != sorted(set(numbers)):
        raise RecordError("reordered", "its records are not in their order")
    if numbers[0] < days[0]["first"] or numbers[-1] > days[-1]["last"]:
        raise RecordError("edited", "a record is of no day in it")
    if len(contents["ends"]) != len(ended):
        raise RecordError("cut", f"the ends of {len(contents['ends'])} of {len(ended)} days")
    proofs = [(leaf_of(record, contents), record, head) for record, head in with_heads(records, days)]
    for end, head in zip(contents["ends"], ended, strict=True):
        proofs.append((leaf_with(head["last"], map(bytes.fromhex, end["parts"])), {"seq": head["last"], **end}, head))
    for leaf, record, head in proofs:
        sides = sides_of(record["seq"] - head["first"], head["last"] - head["first"] + 1)
        if [side for side, _ in record["way"]] != sides or climbed(leaf, record["way"]).hex() != head["root"]:
            raise RecordError("edited", f"record {record['seq']} is not what was signed")


def with_heads(records: list[Fields], days: list[Fields]) -> list[tuple[Fields, Fields]]:
    """Each record with the head of its day."""
    ends = [head["last"] for head in days]
    return [(record, days[bisect_left(ends, record["seq"])]) for record in records]


def leaf_of(record: Fields, contents: Fields) -> bytes:
    """The hash of a record: of its number and of what its four parts commit to."""
    where = f"record {record['seq']}"
    hides = set().union(*(HIDES[what] for what in contents["kept_back"]))
    forms: Forms = {"seq": number_from(1)}
    forms |= {} if hides else {"salt": is_salt}
    forms["parts"] = lambda value: type(value) is list and len(value) == len(PARTS)
    forms |= {"way": is_way} if contents["is_excerpt"] else {}
    parts = check_form(record, forms, where)["parts"]
    if hides:
        hashes = [hash_of_part(name, part, name in hides, where) for name, part in zip(PARTS, parts, strict=True)]
    elif all(type(part) is str for part in parts):
        salts = [sha256(bytes.fromhex(record["salt"]) + part.encode()).digest()[:16] for part in PARTS]
        hashes = [committed(*each) for each in zip(salts, PARTS, parts, strict=True)]
    else:
        raise RecordError("edited", f"{where} is not written as a record")
    return leaf_with(record["seq"], hashes)


def leaf_with(number: int, hashes: Iterable[bytes]) -> bytes:
    return sha256(b"\x00" + number.to_bytes(8, "big") + b"".join(hashes)).digest()


def hash_of_part(name: str, part: Any, is_hidden: bool, where: str) -> bytes:
    """It is kept back where the first line says so, and only there."""
    if is_hidden:
        return bytes.fromhex(check_form(part, {"hash": is_hash}, f"{where}, {name}")["hash"])
    shown = check_form(part, {"salt": is_salt, "text": lambda value: type(value) is str}, f"{where}, {name}")
    return committed(bytes.fromhex(shown["salt"]), name, shown["text"])


def committed(salt: bytes, name: str, text: str) -> bytes:
    return sha256(b"\x02" + name.encode() + salt + text.encode()).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1."""
    level = leaves
    while len(level) > 1:
        level = [node(level[at : at + 2]) for at in range(0, len(level), 2)]
    return level[0]


def node(pair: list[bytes]) -> bytes:
    return sha256(b"\x01" + pair[0] + pair[1]).digest() if len(pair) == 2 else pair[0]


def sides_of(index: int, many: int) -> list[str]:
    """On which side the other hash stands, from the leaf of this index up, in a tree of so many leaves."""
    sides = []
    while many > 1:
        if index ^ 1 < many:
            sides.append("left" if index & 1 else "right")
        index, many = index // 2, (many + 1) // 2
    return sides


def climbed(leaf: bytes, way: list[list[str]]) -> bytes:
    for side, beside in way:
        leaf = node({"left": [bytes.fromhex(beside), leaf], "right": [leaf, bytes.fromhex(beside)]}[side])
    return leaf


# ── what the records say ─────────────────────────────────────────────────────────────────────────────────────────────


def lines_of(records: list[Fields], days: list[Fields], contents: Fields) -> list[str]:
    """Each record as a line of ASCII. Its number is the one it is signed with, its time of its day, and never falls."""
    lines, before = [], ""
    for record, head in with_heads(records, days):
        where = f"record {record['seq']}"
        try:
            line = check_form(joined(record, head["v"]), LINE, where)
            check_fact(line, where)
            lines.append(rendered(line))
        except (ValueError, LookupError, RecursionError):
            raise RecordError("edited", f"{where} is not written as a record") from None
        if line["seq"] != record["seq"] or not is_on(head["day"], line["at"]) or line["at"][:-1] < before:
            raise RecordError("edited", f"{where} has another number, or a time of another place")
        if head["v"] > 1 and "salt" not in record and type(line["sum"]) is not Hidden:
            raise RecordError("edited", f"{where} shows a sum that nobody could check")
        if record["seq"] == head["last"] and not is_sum_of(head["sum"], line["sum"], record):
            raise RecordError("edited", f"the sum of {head['day']} is not that of its last record")
        before = line["at"][:-1]
    return lines


def is_on(day: str, at: str) -> bool:
    """A day begins at midnight in New York, at 04:00 or at 05:00 UTC."""
    after = date.fromisoformat(day) + timedelta(days=1)
    return f"{day}T04:00:00" <= at[:-1] < f"{after}T05:00:00"


def is_sum_of(signed: str, told: Any, record: Fields) -> bool:
    """A head has the salted hash of its last record's sum; the first heads had the sum."""
    if type(told) is Hidden or is_salt(signed):
        return type(told) is Hidden or told == signed
    return sha256(bytes.fromhex(record["salt"]) + told.encode()).hexdigest() == signed


def joined(record: Fields, version: int) -> Any:
    """The skeleton with what is shown in its places. Raises ValueError, LookupError, RecursionError."""
    texts = [part if type(part) is str else part.get("text") for part in record["parts"]]
    skeleton = sound(texts[0])
    shown_of = {mark: sound(text) for mark, text in zip("ast", texts[1:], strict=True) if text is not None}
    used = dict.fromkeys("ast", 0)
    if any(type(shown) is not list for shown in shown_of.values()):
        raise ValueError("values of another part")
    whole = put_in(skeleton, "", shown_of, used, version)
    if any(len(shown) != used[mark] for mark, shown in shown_of.items()):
        raise ValueError("a value without a place")
    return whole


def put_in(value: Any, key: str, values: Fields, used: dict[str, int], version: int) -> Any:
    """Each value is used once, in its order, and each stands in its part."""
    if type(value) is str and value.startswith("#"):
        mark = value[1:2]
        number, used[mark] = used[mark], used[mark] + 1
        if value != f"#{mark}{number}":
            raise ValueError("another order of the values")
        if mark not in values:
            return HIDDEN[mark]
        shown = values[mark][number]
        if part_of(key, shown, version) != mark:
            raise ValueError("a value of another part")
        return shown
    if type(value) is list:
        return [put_in(each, key, values, used, version) for each in value]
    if part_of(key, value, version):
        raise ValueError("a value that belongs to another part")
    if type(value) is dict:
        return {name: put_in(each, name, values, used, version) for name, each in value.items()}
    return value


def part_of(key: str, value: Any, version: int) -> str:
    """The mark of the part that a value under this key belongs to; nothing for the skeleton. A name has no key."""
    if type(value) is float:
        return "a"
    if type(value) is dict:
        return "t" if any(part_of("", name, version) for name in value) else ""
    if type(value) is not str:
        return ""
    if version > 1 and key in PARTS_OF_KEYS["symbols"].split():
        return "s"
    if version > 1 and key in PARTS_OF_KEYS["texts"].split():
        return "t"
    if version > 1 and (not value or looks_like_a_time(value) or (not key and is_key(value))):
        return ""
    if looks_like_an_amount(value):
        return "a"
    if looks_like_a_symbol(value):
        return "s"
    return "" if is_name(value) and (version == 1 or key in PARTS_OF_KEYS["skeleton"].split()) else "t"


def rendered(value: Any) -> str:
    """JSON of plain ASCII alone; what is kept back is a block without quotes."""
    if type(value) is Hidden:
        return "█"
    if type(value) is list:
        return f"[{','.join(map(rendered, value))}]"
    if type(value) is dict:
        return "{" + ",".join(f"{rendered(name)}:{rendered(each)}" for name, each in value.items()) + "}"
    return json.dumps(value).replace("\x7f", "\\u007f")


# ── what a fact holds ────────────────────────────────────────────────────────────────────────────────────────────────


def check_fact(line: Fields, where: str) -> None:
    """Its fields in their order, each in its form; of an earlier version some may be missing."""
    name = EARLIER_NAMES.get(line["fact"], line["fact"])
    if name not in FACTS:
        raise RecordError("edited", f"{where}: no fact is called {line['fact']}, or a later Keyturn wrote it")
    newest, _, fields = FACTS[name].partition(" ")
    is_earlier = line["v"] < int(newest)
    if line["v"] > int(newest):
        raise RecordError("edited", f"{where}: {line['fact']} has no version {line['v']}")
    if not have_form(line["data"], fields, is_earlier):
        raise RecordError("edited", f"{where}: a field of {line['fact']} is not written as the desk writes it")


def have_form(value: Any, fields: str, is_earlier: bool) -> bool:
    """Whether it holds these fields in their order."""
    if type(value) is not dict:
        return False
    left = list(value.items())
    for field in fields.split():
        name, mark, form = re.split("([:=])", field, maxsplit=1)
        names = (name, EARLIER_FIELDS.get(name)) if is_earlier else (name,)
        if left and left[0][0] in names:
            key, held = left.pop(0)
            if not has_form(held, form, key, is_earlier):
                return False
        elif mark == ":" or not is_earlier:
            return False
    return not left


def has_form(value: Any, form: str, key: str, is_earlier: bool) -> bool:
    """?X is X or null, *X a list of X, >X a table of X by name, &X,Y one of each, X|Y either."""
    kind, inner = form[0], form[1:]
    if kind == "?":
        return value is None or has_form(value, inner, key, is_earlier)
    if kind == "*":
        return type(value) is list and all(has_form(each, inner, key, is_earlier) for each in value)
    if kind == ">":
        return value is HIDDEN["t"] or (
            type(value) is dict and all(has_form(each, inner, name, is_earlier) for name, each in value.items())
        )
    if kind == "&":
        forms = inner.split(",")
        is_as_long = type(value) is list and len(value) == len(forms)
        return is_as_long and all(has_form(each, one, key, is_earlier) for each, one in zip(value, forms, strict=True))
    if "|" in form:
        return any(has_form(value, one, key, is_earlier) for one in form.split("|"))
    if form in CLASSES:
        return have_form(value, CLASSES[form], is_earlier)
    if type(value) is Hidden:
        return value.mark in marks_of(form, key)
    if form in ENUMERATIONS:
        return type(value) is str and value in ENUMERATIONS[form].split(" | ")
    return SIMPLE[form](value)


def marks_of(form: str, key: str) -> set[str]:
    """The parts in which a value of this form can be kept back under this key; whole days only are of version 1."""
    if form in ("text", "settings"):
        return set("ast")
    examples = {"amount": ["1"], "time": ["2026-01-05T15:00:00Z"], "day": ["2026-01-05"]}
    examples |= {name: ["ab", "AB", "12"] for name in IDENTIFIERS}
    values = ENUMERATIONS[form].split(" | ") if form in ENUMERATIONS else examples.get(form, [])
    return {part_of(key, value, 2) for value in values}


def is_setting(value: Any) -> bool:
    """What a table of settings may hold: the keys are those of their day."""
    if type(value) is list:
        return all(map(is_setting, value))
    if type(value) is dict:
        return all(map(is_setting, value.values()))
    return value is None or type(value) in (str, bool, int, float, Hidden)


SIMPLE: Forms = {
    "text": lambda value: type(value) is str,
    "number": lambda value: type(value) is int and abs(value) <= LARGEST,
    "flag": lambda value: type(value) is bool,
    "amount": is_amount,
    "time": is_time,
    "day": is_day_written,
    "clock": lambda value: value is None,  # as an agent sent it; no record has one
    "settings": lambda value: type(value) is dict and is_setting(value),
}
IDENTIFIERS = ("Digest", "TicketId", "VenueId")
SIMPLE |= dict.fromkeys(IDENTIFIERS, is_name)
EARLIER_FIELDS = {"authorization_id": "mandate_id", "authorizations": "mandates"}


def table_of(text: str) -> dict[str, str]:
    """Each line has a name and what belongs to it; one that begins with blanks goes on."""
    rows = text.strip().replace("\n  ", " ").split("\n")
    return {name: rest for name, _, rest in (row.partition(" ") for row in rows)}


# ── the forms of the facts ───────────────────────────────────────────────────────────────────────────────────────────
# FACTS has each fact with its newest version and its fields, CLASSES what stands in a field. A mark parts a name from
# its form: with = an earlier version may lack the field. Written by record_forms.py of the same folder.

FACTS = table_of("""
AbsenceEnded 1 since:time fills=number exits=number cancelled=number shadows=number halts=number
AccountBlocked 1 reason:text since:?time
AccountUnblocked 1
ActivitiesCompared 1 as_of:time since:day equity:amount cash:amount fills_until:time differences=*Difference
ActivityQuarantined 1 activity_id:?text reason:text
AdoptionRefused 1 number:number reasons:*text
AdviceGiven 1 number:number adviser:text text:text idea:?TradeIdea expires_at:time
AdviserFailed 1 adviser:text reason:text
AdviserOverstepped 1 adviser:text attempt:text
AdviserPaused 1 adviser:text reason:text
AgentOverstepped 1 agent:text attempt:text
AgentsApplied 4 settings:settings changes:*text
AlertDropped 2 alert:Alert reason=text
AlertKept 1 alert:Alert
AlertRang 2 alert:Alert seen:text articles=*text
AlertRefused 1 terms:AlertTerms reason:text
ApprovalRedeemed 3 approval:Approval client_order_id:text order_digest:Digest quantity:amount
AuthorizationEnded 3 authorization_id:text reason:text code=AuthorizationCode
AuthorizationProlonged 2 authorization_id:text ends_at:time
BarClosed 1 bar:Bar
BasketEnded 2 plan_id:TicketId end:BasketEnd reason:text report:?BasketReport
BasketMarked 1 plan_id:TicketId proposal_id:text is_marked:flag
BasketOpened 4 plan:Basket marked:*text
BasketOrderSkipped 1 plan_id:TicketId proposal_id:text reasons:*text
BasketPhaseChanged 2 plan_id:TicketId phase:BasketPhase reason:text stop=?BasketStop
BasketRefused 2 plan_id:TicketId reasons:*text name=text request=text
BasketSigned 5 plan_id:TicketId digest:Digest orders:*SignedOrder left_out:*&text,*text
  authorizations:*StandingAuthorization ends_at:time buying_power:?amount taken_back=*text worth=?amount terminal=text
  user=text turn=?KeyTurn
BasketTurnBegun 1 plan_id:TicketId proposal_id:text ticket_id:TicketId
BreakerClosed 1 reason:text
BreakerOpened 1 reason:text until:?time
BrokerMessagesQuarantined 2 line:Channel reason:text count=number
BrokerWarned 1 client_order_id:text warnings:*text
CallAnswered 1 call:text took:?amount is_slow:flag
CallFailed 2 call:text reason:text orders_in_a_row=number
CancelDropped 1 client_order_id:text reason:text
CancelFailed 2 client_order_id:text reason:text refusal=?RefusalKind
CancelRequested 2 client_order_id:text reason:text code=CancelCode
CashMoved 1 activity_id:text day:day kind:ActivityKind amount:amount symbol:?text words:text by_its_figures=?amount
ClockDiffered 1 ahead:amount
ClockJumped 1 seconds:amount behind:amount
ClockSettled 2 step=amount
CommandGiven 1 desk:number command:text
CommandRefused 2 command:text reason:text code=Denial desk=?number
ConfirmationReceived 6 ticket_id:TicketId digest:Digest approval:Approval authorizations:*StandingAuthorization
  terminal=text user=text turn=?KeyTurn
ConfirmationRefused 2 ticket_id:TicketId reasons:*text checks=*text
ContingentOrdersMissing 1 client_order_id:text
CorporateActionApplied 5 activity_ids:*text day:day symbol:text ratio:amount quantity_before:amount
  quantity_after:amount owners=*OwnerQuantity ours=?amount evidence=ActionEvidence to=?text followed=*text
  cash=?amount
DayCorrected 1 day:day equity:amount close_of:day
DayStarted 1 day:day equity:amount close_of=?day
DaySummarised 1 agent:text day:day text:text
DeskAttached 1 desk:number seat:Seat is_back=flag by_itself=flag
DeskLeft 1 desk:number
DeskLost 1 desk:number key_until=?time
DesksServed 1
DraftDiffered 2 number:number differing:*CheckedFact
DraftEnded 1 number:number end:DraftEnd reason:text proposal_id=?text terminal=text user=text
DraftNotStaged 1 number:number reasons:*text
DraftReceived 2 draft:Draft
DraftRejected 1 agent:text key:text code:DraftRefusal reasons:*text text=text
DraftReviewed 2 number:number ticket_id:TicketId differing:*CheckedFact
EditRefused 1 proposal_id:text reasons:*text
EngineStarted 2 agreed_until=?time
EngineStopped 1 reason:text
ExitReleased 2 proposal_id:text authorization_id:text quantity:amount
ExitRulesChosen 1 symbol:text strategy:text is_watched:flag
FillNotBelieved 1 client_order_id:text reason:text
FillReversed 1 client_order_id:text symbol:text strategy:text side:Side quantity:amount cost:amount cumulative:amount
  source:Source realised:amount undone=?Trade|InstrumentTrade corrected=?Trade|InstrumentTrade
Halted 1 cause:HaltCause reason:text
HistoryLoaded 1 symbol:text bars:*Bar
InstallationNamed 1 name:text
KeptOrderReleased 1 client_order_id:text
KeyFreed 1 desk:number end:KeyEnd
KeyTaken 1 desk:number hold:number before=?number was_active=flag
KillExplained 1 reason:text
Killed 1 by:text naked=flag
LegResized 1 client_order_id:text quantity:amount
LimitsReloaded 1 taken:*text left:*text
MarginDeficitSeen 1 day:day deficit:amount equity:amount
MarginSampled 1 equity:amount maintenance_margin:amount initial_margin:?amount distance:amount
MarginWarned 2 distance:amount limit:?amount deficit=amount
MarketDataQuarantined 1 place:text reason:text
NotificationBegun 1 channel:text is_urgent:flag numbers:*number tries:number is_repeat:flag
NotificationDue 2 notice:Notice channels:*text not_before=?time matter=text step=text
NotificationFailed 1 channel:text is_urgent:flag numbers:*number code:DeliveryCode status=?number again_at=?time
NotificationSent 1 channel:text is_urgent:flag numbers:*number
NotificationSettled 1 matter:text
NotificationSuppressed 2 notice:Notice channels:*text code:SuppressionCode matter=text step=text
NotificationWithdrawn 1 channel:text is_urgent:flag numbers:*number
OrderApproved 1 ticket_id:TicketId approval_id:text review:Review equity:?amount buying_power:?amount bid:?amount
  ask:?amount
OrderCreated 7 order:OrderRequest|InstrumentOrder proposal_id:text strategy:text signal_time:time stop:?StopPlan
  parent:?text exit_reason:?ExitReason intended_price:?amount reference:?amount expires_at:?time
  role=?LegRole|Elsewhere target_price=?amount counted_at=?amount again_of=?text
OrderFilled 2 fill:Fill cumulative:amount source:Source is_late:flag
OrderIdled 1 client_order_id:text code:IdleCode word:text
OrderKept 5 client_order_id:text approval:Approval again_at=?time is_absent=flag was_refused=flag
OrderNotFound 1 client_order_id:text
OrderRestated 1 client_order_id:text before:StatedTerms after:StatedTerms
OrderRevived 1 client_order_id:text broker_order_id:text
OrderSent 2 client_order_id:text sent_at:time bid=?amount ask=?amount
OrderStateChanged 5 client_order_id:text before:OrderStatus after:OrderStatus source:Source broker_order_id:?text
  reason:text code=EndCode refusal=?RefusalKind
OrderStateUnknown 1 client_order_id:text reason:text
OrderTradesAgain 1 client_order_id:text word:text
OrdersRecalled 4 orders:*PastOrder
OtherTakenBack 1 broker_order_id:text order:text reason:text
OverrideEnded 1 name:text scope:text reason:text
PastDaysLoaded 2 past:PastDays
PermissionReturned 2 client_order_id:text authorization_id:text quantity:amount
PositionChanged 2 symbol:text strategy:text quantity:amount average_price:?amount realised=?amount
PositionCorrected 5 symbol:text quantity:amount average_price:?amount reason:text owners=*OwnerShare is_split=flag
  for_a_fill=flag unexplained=amount came_from=?text stayed=?amount
PromotionDecided 2 strategy:text is_adopted:flag allocation=?amount
PromotionProposed 1 strategy:text step:amount reason:text
PromotionRefused 1 strategy:text reason:text
ProposalEdited 5 proposal:Proposal review:Review
ProposalEnded 1 proposal_id:text end:ProposalEnd reason:text
ProposalSkipped 6 strategy:text symbol:text signal_time:time reasons:*text proposal=?Proposal checks=*text
ProposalStaged 6 proposal:Proposal review:Review bid=?amount ask=?amount
ProtectionExpired 1 name:text scope:text
ProtectionOverridden 1 name:text scope:text begins:time until:time again_at=?amount
ProtectionTripped 2 name:text scope:text reason:text until:?time limit=?amount
RearmRefused 1 reason:text
Rearmed 1
ReasonsCounted 1 before:day reasons:>>number
RecommendationAdopted 1 number:number recommendation:Recommendation
RecommendationDropped 1 strategy:text symbol:text reason:text
ReconciliationFailed 3 reasons:*text differences=*Difference code=ReadOnlyCode
ReconciliationPassed 2 corrections:*text differences=*Difference
RegimeMeasured 3 regime:Regime
ReinstatementRefused 1 strategy:text reason:text
ReloadRefused 1 reasons:*text
ReportMade 1 day:day fault=text agent=text agent_fault=text
Resumed 1 cause:HaltCause
RiskRestored 1 reason:text
RiskThrottled 1 factor:amount reason:text
SessionsAnnounced 1 days:*AnnouncedDay
SettingsApplied 4 settings:settings
SettingsFileAgreed 1
SettingsFileChanged 1 reason:text
SharesMoved 1 activity_id:text day:day kind:ActivityKind symbol:text quantity:amount price:?amount words:text
SignalRaised 1 signal:EntrySignal|ExitSignal
SignalsOpposed 1 symbol:text bar_start:time buyers:*text sellers:*text leaving=*text
SpreadMeasured 1 symbol:text spread:amount
StateReset 1 when:time last_record:number forgotten_until:time backup:text
StateRestored 1 when:time archive:text lost:number forgotten_until:time backup:?text
StopAskedFor 2 client_order_id:text authorization_id:text quantity:amount
StopCut 1 client_order_id:text owed:amount
StopInForce 1 symbol:text strategy:text quantity:amount since:time until:time why:OwedReason
StopOwed 1 symbol:text strategy:text quantity:amount since:time why:OwedReason
StrategiesEvaluated 3 day:day results:*Evaluated
StrategyFailed 2 strategy:text symbol:text bar_start:time reason=text milliseconds=?amount limit=?amount
  is_broken_off=flag
StrategyForgot 1 strategy:text symbol:text reason:text
StrategyFound 1 strategy:text
StrategyMissing 1 strategy:text reason:text
StrategyPaused 3 strategy:text symbol:text reason=text rests=flag
StrategyReinstated 1 strategy:text cause:SuspensionCause scope:text reason:text
StrategyResumed 1 strategy:text symbol:text
StrategySuspended 1 strategy:text cause:SuspensionCause scope:text reason:text until:?time
SubmissionBlocked 2 client_order_id:text reason:text code=BlockCode
SymbolListed 1 symbol:text kind:ListKind reason:text day:day until=?day
SymbolRefused 1 symbol:text day:day reason:text
SymbolUnlisted 1 symbol:text kind:ListKind
ThesesChecked 1 day:day verdicts:*Verdict_of_thesis
ThesisInvalidated 1 thesis:Thesis kind:TradeKind evidence:Evidence earlier=text
ThesisPauseDeclined 1 strategy:text
TicketClosed 2 ticket_id:TicketId reason:text code=TicketEnd
TicketOpened 5 ticket:Ticket bid=?amount ask=?amount
TouchKeyEnrolled 1 key:TouchKey terminal=text user=text
TouchKeyRemoved 1 key:TouchKey terminal=text user=text
TouchKeysKept 1 keys:*TouchKey counters:>number terms:TouchTerms
TouchRefused 1 purpose:TouchPurpose subject:text code:TouchCode
TouchVerified 1 purpose:TouchPurpose subject:text fingerprint:text counter:number digest:Digest
TradeClosed 4 trade:Trade|InstrumentTrade
TradingHalted 1 halt:TradingHalt
TradingResumed 1 symbol:text reason:text
TwinConfirmed 1 ticket_id:TicketId like:text
UnknownOrdersAccepted 1 client_order_ids:*text
UnknownOrdersFound 2 client_order_ids:*text name:text unlisted=*Difference
UpdateIgnored 1 client_order_id:text reason:text
VixMeasured 1 value:amount measured_on:day measured_at:time
WarningConfirmed 2 client_order_id:text terminal=text user=text
WatchlistKept 2 name:text symbols:*text is_filed=flag
WatchlistRefused 1 name:text reason:text
""")
EARLIER_NAMES = table_of("""
HistoryTaken HistoryLoaded
LegsMissing ContingentOrdersMissing
MandateEnded AuthorizationEnded
MandateProlonged AuthorizationProlonged
OrderInDoubt OrderStateUnknown
PastTaken PastDaysLoaded
PlanEnded BasketEnded
PlanMarked BasketMarked
PlanMoved BasketPhaseChanged
PlanOpened BasketOpened
PlanOrderSkipped BasketOrderSkipped
PlanRefused BasketRefused
PlanSigned BasketSigned
PlanTurnBegun BasketTurnBegun
StrategyOpened StrategyReinstated
StrategyShut StrategySuspended
""")
CLASSES = table_of("""
Alert number:number terms:AlertTerms
AlertTerms symbol:text kind:AlertKind level=?amount is_above=flag
AnnouncedDay day:day session:?Session
Approval id:text ticket_id:TicketId authorization_id:?text order_digest:Digest lapses_at:time less_of=?text
Bar symbol:text start:time open:amount high:amount low:amount close:amount volume:amount
Basket id:TicketId source:BasketSource name:text lines:*BasketLine skipped:*SkippedRow opened_at:time ends_at:time
  request=text
BasketLine proposal:Proposal refusals=*text
BasketReport lines:*ReportLine positions:*&text,amount power_before:?amount power_after:?amount is_of_the_broker:flag
  left=*text
CheckedFact fact:DraftFact result:FactResult ours=?amount why=text
Criterion measure:Measure is_below:flag limit:amount trades:number
DailyValue day:day value:amount
Difference kind:DifferenceKind symbol:text local:?text broker:?text note=text
Draft number:number agent:text key:text terms:DraftTerms quantity:amount is_sized:flag reason:text facts:*CheckedFact
  confidence:?amount drafted_at:time expires_at:time
DraftFact symbol:text field:text value:amount at:?time source:text clock=?clock
DraftTerms symbol:text effect:Effect quantity:?amount type:OrderType limit_price=?amount stop_price=?amount
  target_price=?amount time_in_force=TimeInForce strategy=text
EntrySignal strategy:text symbol:text bar_start:time limit_price:amount stop_price:amount stop_holder:StopHolder
  quantity:amount reference:amount reason:text target_price=?amount confidence=?amount
Evaluated strategy:text figures:EvaluationFigures verdict:text
EvaluationFigures since:day trades:number wins:number losses_in_a_row:number win_rate:amount|NoFigure
  sharpe:amount|NoFigure profit_factor:amount|NoFigure failed=number daily_sharpe=?amount|NoFigure
Evidence criterion:Criterion is_met:flag value:?amount count:number first:?day last:?day
ExitSignal strategy:text symbol:text bar_start:time quantity:amount exit_reason:ExitReason intended_price:amount
  reference:amount reason:text
Fill execution_id:text client_order_id:text at:time quantity:amount price:amount fee=amount
Instrument symbol:text asset_class=AssetClass multiplier=amount ticks=Ticks lots=Lots venue=VenueId
InstrumentLeg instrument:Instrument ratio:amount
InstrumentOrder client_order_id:text symbol:text side:Side effect:Effect quantity:amount type:OrderType
  time_in_force=TimeInForce limit_price=?amount stop_price=?amount replaces=?text trail_price=?amount
  trail_fraction=?amount order_class=OrderClass legs=*Leg extended_hours=flag instrument_legs:*InstrumentLeg
InstrumentTrade symbol:text strategy:text entry_order:text exit_order:text entry_time:time entry_price:amount
  quantity:amount exit_time:time exit_price:amount exit_reason:ExitReason intended_entry:?amount intended_exit:?amount
  reference:?amount profit:amount slippage:amount regime=?RegimeLabels meant=?ExitReason fees=amount
  instrument:Instrument
KeyTurn desk:number hold:number proof:PaintProof address=text
Leg role:LegRole stop_price=?amount limit_price=?amount
ListedExit words:text price:?amount
Lots step=amount least=amount
MarketMeasure symbol:text bars_to:day trend:?Trend volatility:?Volatility atr:?amount atr_average:?amount
NoFigure reason:text
NoMarket reason:text
NoStop reason:text
NoVix reason:text
Notice number:number at:time kind:NoticeKind severity:Severity symbol:?text words:text report=?ReportSheet
OrderRequest client_order_id:text symbol:text side:Side effect:Effect quantity:amount type:OrderType
  time_in_force=TimeInForce limit_price=?amount stop_price=?amount replaces=?text trail_price=?amount
  trail_fraction=?amount order_class=OrderClass legs=*Leg extended_hours=flag
OwnerQuantity strategy:text quantity:amount ratio=?amount
OwnerShare strategy:text quantity:amount average_price:amount ratio=?amount
PastDay day:day close:?amount deviation:?amount volume=?amount
PastDays symbol:text days:*PastDay minutes=*Bar
PastOrder request:OrderRequest|InstrumentOrder proposal_id:text strategy:text signal_time:time created_at:time
  stop:?StopPlan parent:?text exit_reason:?ExitReason intended_price:?amount reference:?amount expires_at:?time
  executions:*text kin:*text status=OrderStatus broker_order_id=?text filled_quantity=amount filled_cost=amount
  reported_quantity=amount submitted_at=?time ended_at=?time reason=text end_code=EndCode in_doubt_since=?time
  not_found=number first_not_found_at=?time cancel_requested_at=?time cancel_failed_at=?time let_go_at=?time
  cancel_failures=number cancel_reason=text cancel_code=?CancelCode late_fill=flag replacement=?text replaced_by=?text
  last_filled_on=?day last_filled_at=?time role=?LegRole|Elsewhere target_price=?amount counted_at=?amount
  is_bare=flag warnings=*text warned_at=?time permit=?Approval kept=?Approval again_at=?time terms_before=?StatedTerms
  was_absent=flag idle=?IdleCode idle_word=text owed=?amount is_asked_for=flag taken_back=amount again_of=?text
  split=amount paid=amount restated_from=?StatedTerms restated_at=?time listed_as=?text
Proposal id:text strategy:text order:OrderRequest|InstrumentOrder stop:StopPlan|NoStop signal_time:time staged_at:time
  expires_at:?time reason:text intended_price:?amount reference:?amount exit_reason:?ExitReason target_price=?amount
  ttl_seconds=?number guard=?GuardCode
Recommendation strategy:text symbol:text entry:amount stop:amount target:amount quantity:amount expires_at:time
  source:text
Regime vix:VixReading|NoVix market:MarketMeasure|NoMarket
RegimeLabels vix:?VixLevel trend:?Trend volatility:?Volatility
ReportLine proposal_id:text symbol:text side:Side quantity:amount filled:amount expected:?amount average:?amount
  status:?OrderStatus reason:text
ReportSheet title:text head:text sections=*Section agent=text words=*text
Review verdicts:*Verdict
ReviewFigures cost:?amount worst_loss:?amount share_of_equity:?amount buying_power_after:?amount
Seat terminal=text user=text address=text
Section name:text rows:*&text,text
Session day:day open:time close:time
SignedOrder proposal:Proposal cancels:*text review:Review price:?amount touch:?amount power_after:?amount
SkippedRow place:text reason:text
StandingAuthorization id:text kind:AuthorizationKind ticket_id:TicketId ticket_digest:Digest parent:text symbol:text
  side:Side quantity:amount stop_price:?amount ends_at:time terms=?&OrderType,?amount,?amount,?amount,?amount
  held=?amount
StatedTerms quantity:amount type:OrderType time_in_force:TimeInForce limit_price:?amount stop_price:?amount
  trail_price:?amount trail_fraction:?amount extended_hours:flag
StopPlan price:amount holder:StopHolder behind=?amount
Thesis name:text says:text strategy:text criteria:*Criterion since=?day
Ticket id:TicketId proposal_id:text account:text order:OrderRequest|InstrumentOrder stop:StopPlan|NoStop cancels:*text
  digest:Digest opened_at:time ends_at:time figures:ReviewFigures review:Review price_at_opening:?amount
  unattended=*ListedExit
Ticks steps:*&amount,amount
TouchKey fingerprint:text line:text label:text
TouchTerms touch:text above_usd:amount
Trade symbol:text strategy:text entry_order:text exit_order:text entry_time:time entry_price:amount quantity:amount
  exit_time:time exit_price:amount exit_reason:ExitReason intended_entry:?amount intended_exit:?amount
  reference:?amount profit:amount slippage:amount regime=?RegimeLabels meant=?ExitReason fees=amount
TradeIdea strategy:text symbol:text entry:amount stop:amount target:amount quantity:amount
TradingHalt symbol:text since:time reason:text
Verdict check:text standing:CheckResult reason:text
Verdict_of_thesis thesis:Thesis status:Status evidence:*Evidence kind=TradeKind
VixReading value:amount measured_on:day level:VixLevel closes=*DailyValue measured_at=?time
""")
ENUMERATIONS = table_of("""
ActionEvidence activity | books | operator | announced
ActivityKind fee | dividend | interest | transfer | shares | split | other
AlertKind price | change | spread | volume | fill | halt | news
AssetClass stock | option | crypto | other
AuthorizationCode other | sold | nothing_left | stayed | not_in_time | not_through | cancelled | displaced | refused |
  asked_again | not_asked_again | waits_for_key | declined | taken_back
AuthorizationKind protective_stop | close | restore_stop | exits | plan
BasketEnd done | stopped | put aside | lapsed
BasketPhase open | taking back the entries | selling | waiting for the sells | asks you | buying | waiting for the
  buys | asking the broker for the report | over
BasketSource the waiting proposals | a file | flatten everything | a reversal
BasketStop operator | unanswered | halted | killed | restarted
BlockCode other | taken_back | lapsed | left | limited | lost
CancelCode other | operator | killed | makes_way | exchanged | too_much | none_at_the_broker | flat | outlived |
  warning | flattened | reappeared | orphaned | filled_further | unattended | repeated | listed | split
Channel broker | trades | data
CheckResult passes | warns | refuses
DeliveryCode delivered | not_sent | refused | refused_for_good | unclear | timed_out | cut_off | no_address |
  bad_address | not_encrypted | no_such_kind | kept_here | no_channel
Denial other | no_door | other_account | not_holder | not_attached | no_desk | no_terminal | word | other_hold |
  unpainted | late | outrun
DifferenceKind missing_local | missing_broker | quantity_mismatch | unknown_order | unreadable_order |
  unreadable_position | orphaned_order | foreign_order | foreign_position | held_over | fill_missing_local |
  fill_missing_broker | fill_differs | activity_differs | cash_differs
DraftEnd staged | given | declined | expired | withdrawn | blocked
DraftRefusal unreadable | unknown_agent | off | live | hours | symbol | flood | waiting | value | size | checks |
  changed
Effect open | add | reduce | close | short | cover
Elsewhere closed_elsewhere
EndCode as_its_state_says | replaced | never_arrived | filled_short | rejected_later | lost_there | id_taken |
  sent_again
ExitReason STOP_LOSS | TAKE_PROFIT | TRAILING_STOP | MEAN_REVERSION | SIGNAL | TIME_EXIT | FORCE_FLAT | MANUAL | KILL
  | EXECUTION_ERROR | BROKER_REJECT
FactResult matches | differs | old | unknown
GuardCode by_hand | with_its_day | permitted_no_more | not_there | refused | kept_back | left | limited | failed |
  exit_with_its_day
HaltCause key | signal | invariant | journal | strategies | attendance
IdleCode broker_word | unknown_word | unfilled | leaving
KeyEnd left | lapsed
LegRole stop_loss | take_profit
ListKind never trade | close only | restricted
Measure win rate | profit factor | profit | expectancy | drawdown
NoticeKind fill | stop | exit_waiting | protection | breaker | halt | kill | disconnect | watchdog | alert | proposal
  | regime | session | report
OrderClass simple | bracket | oco | oto
OrderStatus PENDING | SUBMITTED | PARTIALLY_FILLED | FILLED | CANCELLED | REJECTED | EXPIRED
OrderType market | limit | stop | stop_limit | trailing_stop
OwedReason due | on_its_way | in_doubt | kept | blocked | closing | waits_for_key | taken_elsewhere | held_elsewhere |
  legs_wait | not_trading | before_split | leaving | unfilled | at_limit | naked
PaintProof answered | timed
ProposalEnd declined | expired | withdrawn | blocked | sent
ReadOnlyCode apart | undecided | unproven | older | unreachable | other_account
RefusalKind other | unprocessable | not_tradable | not_shortable | insufficient_buying_power | insufficient_shares |
  wash_trade | forbidden | pattern_day_trader | duplicate_id | no_such_order | not_working | unauthorised |
  rate_limited
Severity info | warning | urgent
Side buy | sell
Source desk | answer | stream | look_up | reconciliation
Status ACTIVE | PENDING | INVALIDATED
StopHolder broker | desk | you
SuppressionCode too_many
SuspensionCause retired | thesis | regime | weekly loss | VIX
TicketEnd other | handed_over
TimeInForce day | gtc | ioc
TouchCode no_key | no_signature | unknown_key | malformed | not_touched | wrong | counter | used | too_many | enrolled
TouchPurpose ticket | basket | enroll | remove | loosen
TradeKind closed | paper
Trend up | sideways | down
VixLevel low | normal | elevated | high
Volatility calm | usual | wild
""")
PARTS_OF_KEYS = table_of("""
skeleton account activity_id activity_ids after asset_class before broker_order_id cancel_code cause check checks code
  effect end end_code exit_reason fact guard holder kind level meant order_class phase plan_id proof refusal role
  severity side source standing status stop_holder strategy ticket_id time_in_force trend type venue vix volatility
symbols again_of approval_id authorization_id came_from cancels client_order_id client_order_ids entry_order
  exit_order followed id kin less_of like listed_as marked parent proposal_id replaced_by replacement replaces symbol
  symbols taken_back to
texts digest execution_id executions order_digest positions sum ticket_digest words
""")

# ── the end of the forms ─────────────────────────────────────────────────────────────────────────────────────────────


if __name__ == "__main__":
    sys.exit(main())
