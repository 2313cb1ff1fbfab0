"""Damage at random places, from fixed seeds: the verdict is no rule but an invariant (`test_corpus`)."""

from __future__ import annotations

from random import Random

from corpus.case import BASES, Damage

TEXTS = ("posting", "posting_wide", "customer", "card_posting", "load_curve", "payment", "typed", "tagged")
PACKED = ("posting_gz", "posting_zip", "posting_zst")
SEEDS = {"bytes": TEXTS, "lines": TEXTS, "packed": PACKED, "parquet": ("daily_reading",), "xlsx": ("manager_target",)}
FILES_OF_EACH = 6


def bytes_changed(random: Random) -> Damage:
    """Some bytes are turned, lost, doubled or put in."""

    def damage(data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(random.randint(1, 4)):
            at, length = random.randrange(len(changed)), random.randint(1, 9)
            kind = random.choice(("flip", "lose", "double", "insert"))
            if kind == "flip":
                changed[at] ^= 1 << random.randrange(8)
            elif kind == "lose":
                del changed[at : at + length]
            elif kind == "double":
                changed[at:at] = changed[at : at + length]
            else:
                changed[at:at] = random.randbytes(length)
        if random.random() < 0.2:
            del changed[random.randrange(len(changed)) :]
        return bytes(changed)

    return damage


def lines_changed(random: Random) -> Damage:
    """Some lines are lost, doubled, moved or joined."""

    def damage(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        for _ in range(random.randint(1, 3)):
            at = random.randrange(len(lines))
            kind = random.choice(("lose", "double", "move", "join"))
            if kind == "double":
                lines.insert(at, lines[at])
            elif kind == "join":
                lines[at] = lines[at].rstrip(b"\r\n")
            else:
                one = lines.pop(at)
                if kind == "move":
                    lines.insert(random.randrange(len(lines) + 1), one)
            lines = lines or [b"\n"]
        return b"".join(lines)

    return damage


def files() -> list[tuple[str, str, int]]:
    """Kind of damage, base and seed of every file."""
    return [(kind, base, seed) for kind, bases in SEEDS.items() for base in bases for seed in range(FILES_OF_EACH)]


def broken(kind: str, base: str, seed: int) -> bytes:
    """The file of a kind, base and seed, compressed as the base is."""
    good = BASES[base]
    random = Random(f"{kind} {base} {seed}")
    damage = lines_changed(random) if kind == "lines" else bytes_changed(random)
    return damage(good.pack(good.data)) if kind in ("packed", "parquet", "xlsx") else good.pack(damage(good.data))
