"""What a forger does to an export: each mutation changes something that its owner did not sign.

Without the private key: an edit of a byte or of a value, a cut at the end or in the middle, another order, a line
twice, a forged record with its day's tree made anew, a forged day under another key, redactions that change their
places. With it: a record that is written anew from its beginning, which an earlier head tells.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from random import Random
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from state.proof.parts import Parts, commitments, leaf, root, salt_of_line
from state.proof.signing_key import SigningKey

Lines = list[bytes]
Mutation = Callable[[Lines, Random], Lines | None]
"""None where there is nothing of the kind to change."""
OTHER = SigningKey.private(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def heads_in(lines: Lines) -> int:
    return int(orjson.loads(lines[0])["record"]["heads"])


def records_in(lines: Lines) -> range:
    return range(1 + heads_in(lines), len(lines))


def a_byte(lines: Lines, chance: Random) -> Lines | None:
    """Anywhere: in a name, a number, a signature, a brace."""
    at = chance.randrange(len(lines))
    line = bytearray(lines[at])
    place = chance.randrange(len(line))
    line[place] = chance.choice([byte for byte in range(32, 127) if byte != line[place]])
    return [*lines[:at], bytes(line), *lines[at + 1 :]]


def a_digit(lines: Lines, chance: Random) -> Lines | None:
    """One of an amount, a price or a time, in a record."""
    at = chance.choice(records_in(lines))
    line = bytearray(lines[at])
    places = [place for place, byte in enumerate(line) if 48 <= byte <= 57]
    place = chance.choice(places)
    line[place] = 48 + (line[place] - 48 + chance.randint(1, 9)) % 10
    return [*lines[:at], bytes(line), *lines[at + 1 :]]


def a_value(lines: Lines, chance: Random) -> Lines | None:
    """Of a whole part, written as an export is."""
    at = chance.choice(records_in(lines))
    record = orjson.loads(lines[at])
    place = chance.randrange(len(record["parts"]))
    part, text = record["parts"][place], '["1000000.00"]'
    if isinstance(part, str):
        if part == text:
            return None
        record["parts"][place] = text
    elif "text" in part and part["text"] != text:
        part["text"] = text
    else:
        return None
    return [*lines[:at], orjson.dumps(record), *lines[at + 1 :]]


def the_end(lines: Lines, chance: Random) -> Lines | None:
    return lines[: -chance.randint(1, len(lines) - 1)]


def half_a_line(lines: Lines, chance: Random) -> Lines | None:
    return [*lines[:-1], lines[-1][: chance.randrange(1, len(lines[-1]))]]


def the_middle(lines: Lines, chance: Random) -> Lines | None:
    first = chance.randrange(len(lines))
    return lines[:first] + lines[chance.randint(first + 1, len(lines)) :]


def the_order(lines: Lines, chance: Random) -> Lines | None:
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    if lines[one] == lines[other]:
        return None
    mutated = [*lines]
    mutated[one], mutated[other] = mutated[other], mutated[one]
    return mutated


def a_line_twice(lines: Lines, chance: Random) -> Lines | None:
    at = chance.randrange(len(lines))
    return (
        [*lines[: chance.randrange(len(lines))], lines[at], *lines[at:]]
        if chance.random() < 0.5
        else [*lines[: at + 1], *lines[at:]]
    )


def two_numbers(lines: Lines, chance: Random) -> Lines | None:
    """Two records change their places, and each has the other's number."""
    places = records_in(lines)
    if len(places) < 2:
        return None
    one, other = chance.sample(places, 2)
    first, second = orjson.loads(lines[one]), orjson.loads(lines[other])
    first["seq"], second["seq"] = second["seq"], first["seq"]
    mutated = [*lines]
    mutated[one], mutated[other] = orjson.dumps(second), orjson.dumps(first)
    return mutated


def a_forged_record(lines: Lines, chance: Random) -> Lines | None:
    """With a salt of its own, and its day's tree made anew; its head's signature is the old one."""
    at = chance.choice(records_in(lines))
    record = orjson.loads(lines[at])
    if "salt" not in record:
        return None
    record["parts"][1] = '["1.00"]' if record["parts"][1] != '["1.00"]' else '["2.00"]'
    record["salt"] = bytes(16).hex()
    mutated = [*lines[:at], orjson.dumps(record), *lines[at + 1 :]]
    return with_roots(mutated)


def with_roots(lines: Lines, sign: SigningKey | None = None) -> Lines:
    """The days' trees and heads as the records make them; signed where somebody signs them."""
    contents = orjson.loads(lines[0])
    many = heads_in(lines)
    heads = [orjson.loads(line) for line in lines[1 : 1 + many]]
    records = [orjson.loads(line) for line in lines[1 + many :]]
    for signed in heads:
        head = signed["head"]
        mine = [each for each in records if head["first"] <= each["seq"] <= head["last"]]
        if mine:
            head["root"] = root([leaf_of(each) for each in mine]).hex()
        if sign is not None:
            head["key"] = sign.public.hex()
            signed["signature"] = sign.sign(b"keyturn head 1\n" + orjson.dumps(head)).hex()
    if sign is not None:
        contents["record"]["key"] = sign.public.hex()
        contents["signature"] = sign.sign(b"keyturn record 1\n" + orjson.dumps(contents["record"])).hex()
    return [orjson.dumps(contents), *map(orjson.dumps, heads), *lines[1 + many :]]


def leaf_of(record: dict[str, Any]) -> bytes:
    parts = Parts(*(text.encode() for text in record["parts"]))
    return leaf(record["seq"], commitments(parts, bytes.fromhex(record["salt"])))


def a_forged_day(lines: Lines, chance: Random) -> Lines | None:
    """One more day, by another key; or all of them, by another key."""
    if any("salt" not in orjson.loads(lines[at]) for at in records_in(lines)):
        return None
    return with_roots(lines, OTHER)


def a_forged_head(lines: Lines, chance: Random) -> Lines | None:
    at = chance.randint(1, heads_in(lines))
    signed = orjson.loads(lines[at])
    signed["head"][chance.choice(["root", "before", "sum"])] = chance.randbytes(32).hex()
    if chance.random() < 0.5:
        signed["signature"] = OTHER.sign(b"keyturn head 1\n" + orjson.dumps(signed["head"])).hex()
    return [*lines[:at], orjson.dumps(signed), *lines[at + 1 :]]


def a_salt(lines: Lines, chance: Random) -> Lines | None:
    at = chance.choice(records_in(lines))
    record = orjson.loads(lines[at])
    salted = record if "salt" in record else next((part for part in record["parts"] if "salt" in part), None)
    if salted is None:
        return None
    salted["salt"] = chance.randbytes(16).hex()
    return [*lines[:at], orjson.dumps(record), *lines[at + 1 :]]


def a_swapped_redaction(lines: Lines, chance: Random) -> Lines | None:
    """What is kept back of one record stands in another, or in another part; or a text stands where a hash does."""
    places = [at for at in records_in(lines) if "salt" not in orjson.loads(lines[at])]
    if len(places) < 2:
        return None
    one, other = chance.sample(places, 2)
    first, second = orjson.loads(lines[one]), orjson.loads(lines[other])
    hidden = [number for number, part in enumerate(first["parts"]) if "hash" in part]
    place = chance.choice(hidden)
    match chance.choice(("another record", "another part", "shown", "beside")):
        case "another record":
            first["parts"][place], second["parts"][place] = second["parts"][place], first["parts"][place]
        case "another part":
            first["parts"][hidden[0]], first["parts"][hidden[1]] = first["parts"][hidden[1]], first["parts"][hidden[0]]
        case "shown":
            first["parts"][place] = {"salt": bytes(16).hex(), "text": '["0.01"]'}
        case _:
            first["parts"][place]["text"] = '["0.01"]'
    mutated = [*lines]
    mutated[one], mutated[other] = orjson.dumps(first), orjson.dumps(second)
    return mutated


def more_kept_back(lines: Lines, chance: Random) -> Lines | None:
    """A part that is shown is hidden behind its right hash: true, and not what its first line says."""
    at = chance.choice(records_in(lines))
    record = orjson.loads(lines[at])
    if "salt" not in record:
        return None
    parts = Parts(*(text.encode() for text in record["parts"]))
    hashes = commitments(parts, bytes.fromhex(record["salt"]))
    record["parts"] = [{"hash": each.hex()} for each in hashes]
    del record["salt"]
    return [*lines[:at], orjson.dumps(record), *lines[at + 1 :]]


def other_contents(lines: Lines, chance: Random) -> Lines | None:
    """The first line says something else, under the old signature or another key's."""
    contents = orjson.loads(lines[0])
    name = chance.choice(["first_day", "last_day", "heads", "records", "is_excerpt", "kept_back", "head"])
    record = contents["record"]
    others = {
        "heads": record["heads"] - 1,
        "records": record["records"] - 1,
        "is_excerpt": not record["is_excerpt"],
        "kept_back": ["amounts"] if not record["kept_back"] else [],
    }
    record[name] = others.get(name, "1999-01-01")
    if chance.random() < 0.5:
        contents["signature"] = OTHER.sign(b"keyturn record 1\n" + orjson.dumps(record)).hex()
    return [orjson.dumps(contents), *lines[1:]]


MUTATIONS: tuple[Mutation, ...] = (
    a_byte, a_digit, a_value, the_end, half_a_line, the_middle, the_order, a_line_twice, two_numbers, a_forged_record,
    a_forged_day, a_forged_head, a_salt, a_swapped_redaction, more_kept_back, other_contents,
)  # fmt: skip


def written_anew(lines: Lines, key: SigningKey, chance: Random) -> Lines:
    """By the owner of the key: one amount is another one, and every tree, head and signature fits."""
    at = chance.choice([at for at in records_in(lines) if orjson.loads(lines[at])["parts"][1] != "[]"])
    record = orjson.loads(lines[at])
    amounts = orjson.loads(record["parts"][1])
    amounts[0] = "1.00" if amounts[0] != "1.00" else "2.00"
    record["parts"][1] = orjson.dumps(amounts).decode()
    record["salt"] = salt_of_line(key.secret, record["seq"]).hex()
    mutated = [*lines[:at], orjson.dumps(record), *lines[at + 1 :]]
    return chained_anew(mutated, key)


def chained_anew(lines: Lines, key: SigningKey) -> Lines:
    """Each head holds the new one before it, and the first line the last one."""
    made = with_roots(lines)
    many = heads_in(made)
    contents, before = orjson.loads(made[0]), "0" * 64
    heads = []
    for line in made[1 : 1 + many]:
        head = orjson.loads(line)["head"]
        head["before"] = before
        before = sha256(orjson.dumps(head)).hexdigest()
        heads.append({"head": head, "signature": key.sign(b"keyturn head 1\n" + orjson.dumps(head)).hex()})
    contents["record"]["head"] = before
    contents["signature"] = key.sign(b"keyturn record 1\n" + orjson.dumps(contents["record"])).hex()
    return [orjson.dumps(contents), *map(orjson.dumps, heads), *made[1 + many :]]
