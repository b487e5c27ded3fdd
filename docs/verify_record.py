"""Checks a trading record that somebody hands you, and trusts nothing of the program that wrote it.

    python verify_record.py EXPORT --key PUBLIC [--head EARLIER] [--show]

EXPORT is what `keyturn journal export` wrote. PUBLIC is its owner's public key: 64 hex digits, or a file that holds
them; get it by another way than the export. EARLIER is a head that was published or kept before: its line in a file, or
its hash. This file imports nothing of Keyturn, only the standard library and `cryptography`.

It prints what the record is, and ends with 0 where it is complete, with 1 where it is not:

    cut         records or days are missing
    edited      something is not what was signed
    reordered   all is there, in another order
    rewritten   signed by another key, or another record than the one that the earlier head belongs to

What it cannot find: whoever holds the private key can write a whole other record, as long as no head of the first one
was published, kept elsewhere or stamped. Against that, and nothing else, stands EARLIER. And a record says what its
desk wrote down: that the broker says the same is shown by the broker's own activities in it, or by the broker.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PARTS = ("skeleton", "amounts", "symbols", "texts")
HIDES = {"amounts": {"amounts", "texts"}, "symbols": {"symbols", "texts"}}
NOTHING_BEFORE = "0" * 64


class RecordError(Exception):
    """What the record is, and why."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")


def main() -> int:
    wish = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wish.add_argument("export", type=Path)
    wish.add_argument("--key", required=True, help="the public key, 64 hex digits, or a file with them")
    wish.add_argument("--head", help="an earlier head: a file with its line, or its hash")
    wish.add_argument("--show", action="store_true", help="print the records too")
    asked = wish.parse_args()
    try:
        key, earlier = key_of(asked.key), hash_of(asked.head) if asked.head else None
        lines = asked.export.read_bytes().split(b"\n")
    except (OSError, ValueError, KeyError, IndexError) as error:
        print(f"verify_record: {error!r}", file=sys.stderr)
        return 2
    try:
        said = verify(lines, key, earlier, print if asked.show else None)
    except RecordError as wrong:
        print(wrong)
        return 1
    print(said)
    return 0


def key_of(text: str) -> str:
    key = (Path(text).read_text() if Path(text).is_file() else text).strip().lower()
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
    return key


def hash_of(text: str) -> str:
    if not Path(text).is_file():
        return text.strip().lower()
    lines = Path(text).read_text().splitlines()
    return sha256(written(json.loads(lines[-1])["head"])).hexdigest()


def verify(lines: list[bytes], key: str, earlier: str | None = None, show: Any = None) -> str:
    """What a complete record holds, in words. Raises `RecordError`."""
    if lines.pop() != b"":
        raise RecordError("cut", "its last line does not end")
    told = [parsed(number, line) for number, line in enumerate(lines, start=1)]
    if not told:
        raise RecordError("cut", "it is empty")
    contents = check_signature(told[0], "record", key, "the first line")
    many = contents["heads"]
    heads = heads_of(told[1 : 1 + many], contents, key)
    hashes = [sha256(written(head)).hexdigest() for head in heads]
    if hashes[-1] != contents["head"]:
        raise RecordError("edited", "its last head is not the one that its first line names")
    if earlier is not None and earlier not in hashes:
        raise RecordError("rewritten", f"the earlier head is none of its {many}: another record, or an older one")
    days = [head for head in heads if contents["first_day"] <= head["day"] <= contents["last_day"]]
    records = told[1 + many :]
    (check_excerpt if contents["is_excerpt"] else check_days)(records, days, contents)
    for record in records if show else ():
        show(readable(record))
    return in_words(contents, days, hashes, earlier)


def in_words(contents: dict[str, Any], days: list[dict[str, Any]], hashes: list[str], earlier: str | None) -> str:
    what = "excerpt" if contents["is_excerpt"] else "complete"
    hidden = f", {' and '.join(contents['kept_back'])} kept back" if contents["kept_back"] else ""
    until = f"{contents['first_day']} to {contents['last_day']}"
    told = "no earlier head was given: its owner could have written it anew"
    if earlier is not None:
        told = f"the earlier head is in it, number {hashes.index(earlier) + 1}"
    signed = f"signed by {contents['key']}\nits last head is {hashes[-1]}, number {len(hashes)}"
    return f"{what}: {contents['records']} records of {len(days)} days, {until}{hidden}\n{signed}\n{told}"


def parsed(number: int, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise RecordError("edited", f"line {number} is no JSON") from None
    if not isinstance(found, dict) or written(found) != line:  # a name that stands twice, a space
        raise RecordError("edited", f"line {number} is not written as an export is")
    return found


def raw(text: str) -> bytes:
    """Of hex digits, in the one way in which they are written."""
    found = bytes.fromhex(text)
    if found.hex() != text:
        raise ValueError("not written as an export is")
    return found


def written(fields: dict[str, Any]) -> bytes:
    """As it was signed: in the order of its fields, without spaces."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


def check_signature(signed: dict[str, Any], name: str, key: str, where: str) -> dict[str, Any]:
    fields = signed.get(name)
    if (
        not isinstance(fields, dict)
        or not isinstance(signed.get("signature"), str)
        or set(signed) != {name, "signature"}
    ):
        raise RecordError("cut", f"{where} is missing")
    if fields.get("key") != key:
        raise RecordError("rewritten", f"{where} is signed by another key")
    try:
        signature = raw(signed["signature"])
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            signature, f"keyturn {name} 1\n".encode() + written(fields)
        )
    except (InvalidSignature, ValueError):
        raise RecordError("edited", f"{where} is not as it was signed") from None
    return fields


def heads_of(told: list[dict[str, Any]], contents: dict[str, Any], key: str) -> list[dict[str, Any]]:
    heads = [
        check_signature(signed, "head", key, f"head {number} of {contents['heads']}")
        for number, signed in enumerate(told, start=1)
    ]
    if len(heads) < contents["heads"] or not heads:
        raise RecordError("cut", f"{len(heads)} of {contents['heads']} heads")
    numbers = [head["number"] for head in heads]
    wanted = list(range(1, len(heads) + 1))
    if numbers != wanted:
        raise RecordError(
            "reordered" if sorted(numbers) == wanted else "cut",
            f"head {next(a for a, b in zip(wanted, numbers, strict=True) if a != b)} is not there",
        )
    before, last, day = NOTHING_BEFORE, 0, ""
    for head in heads:
        if head["before"] != before or head["first"] != last + 1 or head["day"] <= day:
            raise RecordError("rewritten", f"head {head['number']} does not follow the one before it")
        before, last, day = sha256(written(head)).hexdigest(), head["last"], head["day"]
    return heads


def check_days(records: list[dict[str, Any]], days: list[dict[str, Any]], contents: dict[str, Any]) -> None:
    """All of every day, in its order, and each day's tree is the signed one."""
    numbers = numbers_of(records)
    wanted = [number for head in days for number in range(head["first"], head["last"] + 1)]
    if numbers != wanted:
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


def numbers_of(records: list[dict[str, Any]]) -> list[int]:
    numbers = [record.get("seq") for record in records]
    if not all(type(number) is int for number in numbers):
        raise RecordError("edited", "a record has no number")
    return numbers  # type: ignore[return-value]


def what_differs(numbers: list[int], wanted: list[int]) -> tuple[str, str]:
    found, due = Counter(numbers), Counter(wanted)
    if found == due:
        return "reordered", "its records are not in their order"
    if missing := due - found:
        return "cut", f"{missing.total()} records are missing, the first is {min(missing)}"
    return "edited", f"{(found - due).total()} records are in it that no day has"


def check_excerpt(records: list[dict[str, Any]], days: list[dict[str, Any]], contents: dict[str, Any]) -> None:
    """Each record leads to the root of its day."""
    numbers = numbers_of(records)
    if len(numbers) != contents["records"]:
        raise RecordError(
            "cut" if len(numbers) < contents["records"] else "edited", f"{len(numbers)} of {contents['records']}"
        )
    if numbers != sorted(set(numbers)):
        raise RecordError("reordered", "its records are not in their order")
    for record in records:
        head = next((head for head in days if head["first"] <= record["seq"] <= head["last"]), None)
        if head is None or climbed(leaf_of(record, contents), record.get("way")).hex() != head["root"]:
            raise RecordError("edited", f"record {record['seq']} is not what was signed")


def leaf_of(record: dict[str, Any], contents: dict[str, Any]) -> bytes:
    """The hash of a record: of its number and of what its four parts commit to."""
    hides = set().union(*(HIDES[what] for what in contents["kept_back"])) if contents["kept_back"] else set()
    try:
        names, parts = set(record) - {"way"}, record["parts"]
        if names not in ({"seq", "parts"}, {"seq", "parts", "salt"}) or ("way" in record) != contents["is_excerpt"]:
            raise ValueError("other names")
        if "salt" in names:
            salts = [sha256(raw(record["salt"]) + part.encode()).digest()[:16] for part in PARTS]
            hashes = [committed(*each) for each in zip(salts, PARTS, parts, strict=True)]
            is_hidden = [False] * len(PARTS)
        else:
            hashes = [hash_of_part(*each) for each in zip(PARTS, parts, strict=True)]
            is_hidden = ["hash" in part for part in parts]
        if [part in hides for part in PARTS] != is_hidden:
            raise RecordError("edited", f"record {record['seq']} shows other parts than the first line says")
        return sha256(b"\x00" + record["seq"].to_bytes(8, "big") + b"".join(hashes)).digest()
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise RecordError("edited", f"record {record.get('seq')} is not written as a record") from None


def hash_of_part(name: str, part: dict[str, str]) -> bytes:
    if set(part) == {"hash"}:
        return raw(part["hash"])
    if set(part) != {"salt", "text"}:
        raise ValueError("other names")
    return committed(raw(part["salt"]), name, part["text"])


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


def climbed(leaf: bytes, way: Any) -> bytes:
    try:
        for side, beside in way:
            leaf = node({"left": [raw(beside), leaf], "right": [leaf, raw(beside)]}[side])
    except (KeyError, TypeError, ValueError):
        return b""
    return leaf


def readable(record: dict[str, Any]) -> str:
    """Its skeleton with what is shown in its places; what is kept back is a block."""
    texts = [part if isinstance(part, str) else part.get("text") for part in record["parts"]]
    values = {mark: None if text is None else json.loads(text) for mark, text in zip("ast", texts[1:], strict=True)}
    return json.dumps(put_in(json.loads(texts[0]), values), separators=(",", ":"), ensure_ascii=False)


def put_in(value: Any, values: dict[str, Any]) -> Any:
    if isinstance(value, str) and value.startswith("#"):
        return "█" if values[value[1]] is None else values[value[1]][int(value[2:])]
    if isinstance(value, list):
        return [put_in(each, values) for each in value]
    return {key: put_in(each, values) for key, each in value.items()} if isinstance(value, dict) else value


if __name__ == "__main__":
    sys.exit(main())
