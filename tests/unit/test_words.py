"""What people mean by what they type."""

from __future__ import annotations

from collections import Counter

import pytest

from inventory.replica import words

SHELF = (
    "laufschuh wanderschuhe schuhe sneaker training trainingshose hose hosen karotte brot rot rote sonnenhut hut "
    "shirt jacke regenjacke rucksack mutze matte yogamatte running shoe shoes jacket black schwarz"
)


@pytest.fixture
def vocabulary() -> words.Vocabulary:
    return vocabulary_of(Counter(SHELF.split()))


def vocabulary_of(counts: dict[str, int]) -> words.Vocabulary:
    made = words.Vocabulary(lambda word: counts[word])
    made.add(counts.keys())
    return made


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Größe", "GROESSE"),
        ("Größe", "grosse"),
        ("Übergröße", "uebergroesse"),
        ("Café", "cafe"),
        ("Gro\N{COMBINING DIAERESIS}ße", "größe"),
        ("\N{LATIN SMALL LIGATURE FI}t", "fit"),
    ],
)
def test_words_are_one_however_they_are_written(one: str, other: str):
    assert words.folded(one) == words.folded(other)


@pytest.mark.parametrize(
    "forms",
    ["schuh schuhe schuhen", "rot rote roter rotes roten", "läufer laufen", "running run", "jacke jacken", "bag bags"],
)
def test_the_forms_of_a_word_have_one_stem(forms: str):
    assert len({words.stem(form) for form in words.split(forms)}) == 1


@pytest.mark.parametrize(
    ("typed", "among"),
    [
        ("schuh", {"laufschuh", "wanderschuhe", "schuhe", "shoe", "shoes"}),
        ("schuhe", {"laufschuh", "wanderschuhe", "schuhe"}),
        ("hut", {"hut", "sonnenhut"}),
        ("roter", {"rot", "rote"}),
        ("hose", {"hose", "hosen", "trainingshose"}),
        ("shoe", {"schuhe", "laufschuh"}),
        ("jacken", {"jacke", "regenjacke", "jacket"}),
        ("black", {"schwarz"}),
    ],
)
def test_a_word_stands_for_its_forms_compounds_and_synonyms(vocabulary: words.Vocabulary, typed: str, among: set[str]):
    assert among <= vocabulary.meaning(typed).every


@pytest.mark.parametrize(("typed", "not_among"), [("rot", "karotte"), ("hut", "schuhe"), ("ro", "brot")])
def test_a_short_word_is_not_looked_for_inside_others(vocabulary: words.Vocabulary, typed: str, not_among: str):
    assert not_among not in vocabulary.meaning(typed).every


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sneker", "sneaker"),
        ("snaeker", "sneaker"),
        ("sneakerr", "sneaker"),
        ("trainig", "training"),
        ("trianing", "training"),
        ("hsoe", "hose"),
        ("rucksak", "rucksack"),
        ("wanderschuhr", "wanderschuhe"),
    ],
)
def test_a_typing_error_stands_for_the_word_that_was_meant(vocabulary: words.Vocabulary, typed: str, meant: str):
    meaning = vocabulary.meaning(typed)

    assert meaning.instead == meant
    assert meant in meaning.every


@pytest.mark.parametrize("typed", ["sneaker", "snea", "xylophon", "qq", "12345", "sneak3r", ""])
def test_what_is_known_or_like_nothing_is_not_taken_for_something_else(vocabulary: words.Vocabulary, typed: str):
    assert vocabulary.meaning(typed).instead == ""


def test_of_two_words_that_are_equally_near_the_more_used_is_meant():
    vocabulary = vocabulary_of({"tasche": 1, "masche": 3})

    assert vocabulary.meaning("gasche").instead == "masche"


def test_a_new_word_changes_what_others_mean(vocabulary: words.Vocabulary):
    before = vocabulary.meaning("handschuh").every

    vocabulary.add({"handschuhe"})

    assert "handschuhe" not in before
    assert "handschuhe" in vocabulary.meaning("handschuh").every


@pytest.mark.parametrize(
    ("one", "other", "errors"),
    [
        ("", "", 0),
        ("a", "", 1),
        ("schuh", "shcuh", 1),
        ("schuh", "schuhe", 1),
        ("kitten", "sitting", 3),
        ("ab", "ba", 1),
    ],
)
def test_distance_counts_typing_errors(one: str, other: str, errors: int):
    assert words.distance(one, other) == words.distance(other, one) == errors


def test_every_synonym_is_one_word_and_stands_in_both_directions():
    for word, others in words.synonyms().items():
        for other in others:
            assert word in {words.stem(one) for one in words.synonyms()[words.stem(other)]}


def test_no_more_meanings_are_remembered_than_fit(vocabulary: words.Vocabulary, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(words, "_REMEMBERED", 1)

    for typed in ("hut", "rot", "hose"):
        vocabulary.meaning(typed)

    assert set(vocabulary._meanings) == {"hose"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Größe und GROESSE, groesse", {"grosse", "und"}),
        ("Gro\u0308ße", {"grosse"}),
        ("", set()),
        ("½ Liter", {"1", "2", "liter"}),
        ("ﬁt & fit", {"fit"}),
    ],
)
def test_the_words_of_a_long_text_are_those_of_a_short_one_each_once(text: str, found: set[str]):
    assert words.distinct(text) == set(words.split(text)) == found
