"""Words as people write them and as the catalogue compares them: umlauts, endings, compounds, errors, synonyms."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
import threading
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path

# Vowels with dots, however they are written: ``Größe``, ``GROESSE`` and ``grosse`` are one word.
_PLAIN = (("ae", "a"), ("oe", "o"), ("ue", "u"))
# The marks that NFKD parts from their letters.
_MARKS = re.compile("[\u0300-\u036f]+")
_WORD = re.compile(r"[^\W_]+")
# What German and English put behind a word, the longest first, with how much of the word must be left before it.
_ENDINGS = (("ern", 4), ("ing", 4), ("en", 3), ("er", 3), ("es", 3), ("em", 3), ("e", 3), ("s", 3), ("n", 4))
# From this length on a word may stand anywhere in another, below it only at its end, where German keeps the noun.
_ANYWHERE = 4
_AT_THE_END = 3
_LONG = 6
_CANDIDATES = 60
# Of a part that very many words have in common, so many words stand for all.
_MOST_WORDS = 300
_MOST_BEGINNINGS = 50
_REMEMBERED = 8192


def folded(text: str) -> str:
    """Text in the form in which words are compared: without case, dots, accents and ligatures."""
    text = text.casefold()
    if not text.isascii():
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    for written, plain in _PLAIN:
        text = text.replace(written, plain)
    return text


def split(text: str) -> list[str]:
    """The words of a text, folded, in their order."""
    return _WORD.findall(folded(text))


def distinct(text: str) -> set[str]:
    """The words of a long text, folded, each once. Quicker than ``split``: texts of one shop use the same words."""
    return set().union(*map(_between_spaces, set(text.split())))


@functools.lru_cache(maxsize=1 << 13)
def _between_spaces(part: str) -> tuple[str, ...]:
    return tuple(split(part))


@functools.lru_cache(maxsize=1 << 14)
def stem(word: str) -> str:
    """A folded word without its ending: ``schuhe``, ``schuhen`` and ``schuh`` have the same one.

    By endings alone, without a dictionary: good enough to bring the forms of a word together, and no more.
    """
    for ending, left in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= left:
            word = word.removesuffix(ending)
            break
    # "running" and "run", "fitting" and "fit".
    return word[:-1] if len(word) >= _ANYWHERE and word[-1] == word[-2] and word[-1] in "nmtpg" else word


@functools.cache
def synonyms() -> dict[str, frozenset[str]]:
    """The other words for a stem, by the stem; from ``synonyms.txt``."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in Path(__file__).with_name("synonyms.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            group = {"".join(split(word)) for word in line.split()}
            for word in group:
                found[stem(word)] |= {other for other in group if stem(other) != stem(word)}
    return {word: frozenset(others) for word, others in found.items()}


@dataclass(frozen=True)
class Meaning:
    """The words of the catalogue that a typed word stands for.

    ``exact`` are its own forms; ``every`` has compounds and synonyms, too; ``beginning`` stands for all that begin so.
    ``instead`` is the word that was taken for it where there is nothing like it: a typing error, presumably.
    """

    exact: frozenset[str]
    every: frozenset[str]
    beginning: str
    instead: str = ""


@dataclass
class Vocabulary:
    """Every word that the catalogue uses, with what is needed to find those that somebody may have meant.

    ``count`` says how many products use one.
    """

    count: Callable[[str], int]
    _known: set[str] = field(default_factory=set)
    _by_stem: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _by_pair: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _text: list[str] = field(default_factory=lambda: ["\n"])
    _meanings: dict[str, Meaning] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, used: Set[str]) -> None:
        """Take in words. What has digits in it is found as it stands: nobody means another number."""
        new = sorted(word for word in used - self._known if word.isalpha())
        if new:
            with self._lock:
                for word in new:
                    self._add(word)
                self._meanings.clear()

    def _add(self, word: str) -> None:
        self._known.add(word)
        self._by_stem[stem(word)].append(word)
        self._text.append(f"{word}\n")
        for pair in _pairs(word):
            self._by_pair[pair].append(word)

    def meaning(self, typed: str) -> Meaning:
        """What a typed word, folded, stands for."""
        known = self._meanings.get(typed)
        if known is None:
            known = self._look_up(typed)
            if len(self._meanings) > _REMEMBERED:
                self._meanings.clear()
            self._meanings[typed] = known
        return known

    def few_beginning_with(self, part: str) -> list[str] | None:
        """The words that begin so; None where they are many, or have digits, which are not all known here."""
        if not part.isalpha():
            return None
        found = list(itertools.islice(self._in_text(f"\n{part}"), _MOST_BEGINNINGS + 1))
        return found if len(found) <= _MOST_BEGINNINGS else None

    def _look_up(self, typed: str) -> Meaning:
        found = self._like(typed)
        if found.every or not typed.isalpha() or any(self._in_text(f"\n{typed}")):
            return found
        instead = self._closest(typed)
        return dataclasses.replace(self._like(instead), instead=instead) if instead else found

    def _like(self, typed: str) -> Meaning:
        exact = {*self._by_stem.get(stem(typed), ()), *([typed] if typed in self._known else [])}
        near = set(self._containing(typed)) | set(self._containing(stem(typed)))
        for other in synonyms().get(stem(typed), ()):
            near.update(self._by_stem.get(stem(other), ()), self._containing(stem(other)))
        most_used = sorted(near - exact, key=lambda word: -self.count(word))[:_MOST_WORDS]
        beginning = stem(typed) if len(stem(typed)) >= _ANYWHERE else typed
        return Meaning(frozenset(exact), frozenset(exact.union(most_used)), beginning)

    def _containing(self, part: str) -> Iterator[str]:
        if len(part) >= _ANYWHERE:
            yield from self._in_text(part)
        elif len(part) == _AT_THE_END:
            yield from self._in_text(f"{part}\n")

    def _in_text(self, part: str) -> Iterator[str]:
        """The words that hold a part; a line break in it stands for a word's beginning or end."""
        if len(self._text) > 1:
            with self._lock:  # A word that comes meanwhile would be lost.
                self._text = ["".join(self._text)]
        text, at = self._text[0], 0
        while (at := text.find(part, at)) >= 0:
            begin = text.rfind("\n", 0, at + (0 if part[0] != "\n" else 1)) + 1
            at = text.find("\n", begin)
            yield text[begin:at]

    def _closest(self, typed: str) -> str:
        """The word that was meant by one with a typing error (two in long ones); the most used of equally near ones."""
        if len(typed) < _AT_THE_END:
            return ""
        allowed = 1 if len(typed) < _LONG else 2
        pairs, shared = _pairs(typed), Counter[str]()
        for pair in pairs:
            shared.update(word for word in self._by_pair.get(pair, ()) if abs(len(word) - len(typed)) <= allowed)
        # An error spoils three pairs at the most (two letters swapped), so a word with fewer in common is too far.
        least = len(pairs) - 3 * allowed
        candidates = [word for word, count in shared.most_common(_CANDIDATES) if count >= least]
        near = [(distance(typed, word), -self.count(word), word) for word in candidates]
        best = min(near, default=(allowed + 1, 0, ""))
        return best[2] if best[0] <= allowed else ""


def distance(one: str, other: str) -> int:
    """How many letters were left out, put in, changed or swapped with their neighbour (Damerau and Levenshtein)."""
    before, last = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


def _pairs(word: str) -> set[str]:
    """The pairs of neighbouring letters, with the word's beginning and end."""
    marked = f"^{word}$"
    return {marked[at : at + 2] for at in range(len(marked) - 1)}
