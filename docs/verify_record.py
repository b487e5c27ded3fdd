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
HIDDEN = object()  # in the place of what is kept back


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


def text_like(pattern: str) -> Callable[[Any], bool]:
    like = re.compile(pattern)
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
is_clock = text_like(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\.(?!000000)[0-9]{6})?Z")
is_plain = text_like(r"[A-Za-z0-9_.:+\-\d]*")  # a name, a code or a time: all in a skeleton beside numbers
is_amount = text_like(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")

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
    "data": lambda value: value is HIDDEN or type(value) is dict,
    "sum": lambda value: value is HIDDEN or is_salt(value),
}
VALUES: Forms = {  # amounts, symbols and texts, by the mark in their place in the skeleton
    "a": lambda value: is_amount(value) or type(value) is float,
    "s": lambda value: type(value) is str,
    "t": lambda value: type(value) in (str, dict),
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
    shown = check_form(part, {"salt": is_salt, "text": VALUES["s"]}, f"{where}, {name}")
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
            line = check_form(joined(record), LINE, where)
            lines.append(rendered(line))
        except (ValueError, LookupError, RecursionError):
            raise RecordError("edited", f"{where} is not written as a record") from None
        if line["seq"] != record["seq"] or not is_on(head["day"], line["at"]) or line["at"][:-1] < before:
            raise RecordError("edited", f"{where} has another number, or a time of another place")
        if head["v"] > 1 and "salt" not in record and line["sum"] is not HIDDEN:
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
    if told is HIDDEN or is_salt(signed):
        return told is HIDDEN or told == signed
    return sha256(bytes.fromhex(record["salt"]) + told.encode()).hexdigest() == signed


def joined(record: Fields) -> Any:
    """The skeleton with what is shown in its places. Raises ValueError, LookupError, RecursionError."""
    texts = [part if type(part) is str else part.get("text") for part in record["parts"]]
    skeleton, *others = [HIDDEN if text is None else sound(text) for text in texts]
    values, used = dict(zip("ast", others, strict=True)), dict.fromkeys("ast", 0)
    for mark, shown in values.items():
        if shown is not HIDDEN and not (type(shown) is list and all(map(VALUES[mark], shown))):
            raise ValueError("values of another part")
    whole = put_in(skeleton, values, used)
    if any(shown is not HIDDEN and len(shown) != used[mark] for mark, shown in values.items()):
        raise ValueError("a value without a place")
    return whole


def put_in(value: Any, values: Fields, used: dict[str, int]) -> Any:
    """Each value is used once, in its order."""
    if type(value) is str and value.startswith("#"):
        mark = value[1:2]
        number, used[mark] = used[mark], used[mark] + 1
        if value != f"#{mark}{number}":
            raise ValueError("another order of the values")
        return HIDDEN if values[mark] is HIDDEN else values[mark][number]
    if type(value) is list:
        return [put_in(each, values, used) for each in value]
    if type(value) is dict:
        return {name: put_in(each, values, used) for name, each in value.items() if check_plain(name)}
    return value if type(value) in (int, bool, type(None)) or check_plain(value) else None


def check_plain(text: Any) -> bool:
    if not is_plain(text):
        raise ValueError("a name with other characters")
    return True


def rendered(value: Any) -> str:
    """JSON of plain ASCII alone; what is kept back is a block without quotes."""
    if value is HIDDEN:
        return "█"
    if type(value) is list:
        return f"[{','.join(map(rendered, value))}]"
    if type(value) is dict:
        return "{" + ",".join(f"{rendered(name)}:{rendered(each)}" for name, each in value.items()) + "}"
    return json.dumps(value).replace("\x7f", "\\u007f")


if __name__ == "__main__":
    sys.exit(main())
