"""What people type into a search field: words of the products, beginnings, slips of the finger, and nonsense."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

from inventory import demo
from inventory.demo import composing

SEED = 31
_NOWHERE = ("Zahnbürste", "Kochtopf", "Gartenschlauch", "Notizbuch", "xyzzy", "Rasenmäher", "teapot")
# A tenth of all visitors do not find what they look for, a quarter slip on the keyboard.
_SHARES = {"word": 15, "prefix": 15, "slip": 25, "pair": 35, "nowhere": 10}


def distinct(count: int, *, seed: int = SEED) -> list[str]:
    """So many queries, no two alike; the same ones for the same seed."""
    return list(islice(_distinct(random.Random(seed)), count))


def path(query: str) -> str:
    """The address of its page."""
    return f"/products/?{urlencode({'q': query})}"


def _distinct(choice: random.Random) -> Iterator[str]:
    words, seen = _words(), set[str]()
    kinds, weights = list(_SHARES), list(_SHARES.values())
    while True:
        query = _query(choice, choice.choices(kinds, weights)[0], words)
        if query.casefold() not in seen:
            seen.add(query.casefold())
            yield query


def _query(choice: random.Random, kind: str, words: list[str]) -> str:
    word = choice.choice(words)
    if kind == "prefix":
        return word[: choice.randint(3, max(3, len(word) - 1))].lower()
    if kind == "slip":
        return _slipped(choice, word.lower())
    if kind == "pair":
        return f"{word} {choice.choice(words)}".lower()
    if kind == "nowhere":
        return f"{choice.choice(_NOWHERE)} {choice.randint(1, 9_999)}"
    return word if choice.random() < 0.5 else word.lower()


def _slipped(choice: random.Random, word: str) -> str:
    """One letter left out, doubled, swapped with the next, or another one."""
    at = choice.randrange(max(1, len(word) - 1))
    before, letter, after = word[:at], word[at], word[at + 1 :]
    slips = (after, letter * 2 + after, after[:1] + letter + after[1:], choice.choice("aeinrst") + after)
    return before + choice.choice(slips)


def _words() -> list[str]:
    """Every word that names a product, in both languages."""
    lists = composing.words()
    entries = json.loads(Path(demo.__file__).with_name("products.json").read_text(encoding="utf-8"))
    names = [entry[field] for entry in entries for field in ("name", "name_en")]
    names += [kind[language] for kind in lists["kinds"] for language in ("de", "en")]
    names += [colour[language] for colour in lists["colours"] for language in ("de", "en")]
    names += [*lists["brands"], *lists["models"]]
    return sorted({word for name in names for word in name.replace(",", " ").split() if len(word) > 2})
