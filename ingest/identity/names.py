"""Names of football: brought to one form, compared word by word.

A name becomes words without accents, in Latin letters; the squad it marks (women, under-21, second team) is taken out
and must be equal, whatever the rest says. Two names are as similar as their words, each counted by what it tells:
legal forms hardly, words that many clubs share somewhat. Words left over on both sides speak against each other:
Manchester City is not Manchester United, while Leicester may be Leicester City.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import JaroWinkler

from ingest.identity import vocabulary as v

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_WORD = re.compile(r"[^\W_]+")
_AGE = re.compile(r"u-?(\d\d)")
_YEAR = re.compile(r"(1[89]|20)?\d\d|1")
_CLUB_WEIGHT, _COMMON_WEIGHT = 0.1, 0.3
_CONTRADICTION = 0.6
_TYPO = 0.9
"""Words at least this similar (Jaro-Winkler) are spellings of one word."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name in one form: its ``words`` in order, and its ``squad`` ("" is the first team of men)."""

    words: tuple[str, ...]
    squad: str
    code: bool = False  # a short code such as MUN rather than a name


def readable(text: str) -> str:
    """The text without the literal ``\\u00e9`` of doubly escaped files."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def plain(text: str) -> str:
    """Lower-case Latin letters, digits and single spaces."""
    composed = unicodedata.normalize("NFKC", readable(text)).lower().translate(v.LETTERS)
    bare = "".join(c for c in unicodedata.normalize("NFKD", composed) if not unicodedata.combining(c))
    return " ".join(_WORD.findall(bare.casefold().translate(v.LETTERS)))


def country(text: str) -> str:
    """A country's name or code in one form."""
    found = plain(text)
    return v.COUNTRIES.get(found, found)


def squad_of(*texts: str) -> str:
    """Which squad names (of a team, of its competition) mark: "" first team, else as in "women u19 reserve"."""
    marks = [_take_squad(plain(text).split())[1] for text in texts]
    return " ".join(dict.fromkeys(mark for found in marks for mark in found.split()))


@lru_cache(maxsize=20_000)
def parse(text: str) -> Name:
    """The name in one form."""
    words, squad = _take_squad(plain(text).split())
    phrase = v.ALIASES.get(" ".join(words), " ".join(words))
    expanded = tuple(v.ABBREVIATIONS.get(word, word) for word in phrase.split())
    whole = v.ALIASES.get(" ".join(expanded), " ".join(expanded))
    bare = text.strip()
    code = 2 <= len(bare) <= 4 and bare.isascii() and bare.isalpha() and bare.isupper() and phrase == bare.lower()
    return Name(tuple(whole.split()), squad, code)


def _take_squad(words: list[str]) -> tuple[list[str], str]:
    """The words without the marks of a squad, and the marks in a fixed order."""
    if " ".join(words) in v.FIRST_TEAMS or len(words) < 2:
        return words, ""
    women, age, reserve = False, "", False
    rest: list[str] = []
    skip = False
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        if skip:
            skip = False
        elif word in v.WOMEN and (word != "w" or index == len(words) - 1):
            women = True
        elif (found := _AGE.fullmatch(word)) is not None:
            age = f"u{found[1]}"
        elif (word in v.AGE_WORDS or word == "u") and following.isdigit() and len(following) == 2:
            age, skip = f"u{following}", True
        elif word in v.YOUTH and word != "u":
            age = age or "youth"
        elif (word in v.RESERVES and index and (len(word) > 1 or index == len(words) - 1)) or (
            word == "jong" and not index
        ):
            reserve = True
        else:
            rest.append(word)
    marks = [mark for mark, on in (("women", women), (age, bool(age)), ("reserve", reserve)) if on]
    return rest or words, " ".join(marks)


def similarity(one: str, other: str) -> float:
    """How much two names of clubs say that they are one team, 0 to 1; 0 for different squads."""
    return _similar(parse(one), parse(other))


def best(ones: tuple[str, ...], others: tuple[str, ...]) -> float:
    """The similarity of the two names that are most alike."""
    return max((similarity(a, b) for a in ones for b in others), default=0.0)


@lru_cache(maxsize=200_000)
def _similar(one: Name, other: Name) -> float:
    if one.squad != other.squad or not one.words or not other.words:
        return 0.0
    if one.words == other.words:
        return 1.0
    if one.code != other.code:
        return _of_code(one, other) if one.code else _of_code(other, one)
    shared, left, right = _align(list(one.words), list(other.words))
    total = sum(map(_weight, one.words)) + sum(map(_weight, other.words))
    found = shared / total
    if _tells(left) and _tells(right):
        found *= _CONTRADICTION
    return min(found, 0.99)


def _tells(words: list[str]) -> bool:
    return any(_weight(word) > _CLUB_WEIGHT for word in words)


def _weight(word: str) -> float:
    if word in v.CLUB_WORDS or _YEAR.fullmatch(word):
        return _CLUB_WEIGHT
    return _COMMON_WEIGHT if word in v.COMMON_WORDS else 1.0


def _align(left: list[str], right: list[str]) -> tuple[float, list[str], list[str]]:
    """Pair the words, most alike first; the weight that agrees, and what stays alone on either side."""
    pairs = sorted(
        ((_word(a, b), i, j) for i, a in enumerate(left) for j, b in enumerate(right)),
        key=lambda item: (-item[0], item[1], item[2]),
    )
    used_left: set[int] = set()
    used_right: set[int] = set()
    shared = 0.0
    for score, i, j in pairs:
        if score > 0 and i not in used_left and j not in used_right:
            used_left.add(i)
            used_right.add(j)
            shared += score * (_weight(left[i]) + _weight(right[j]))
    return (
        shared,
        [word for i, word in enumerate(left) if i not in used_left],
        [word for j, word in enumerate(right) if j not in used_right],
    )


@lru_cache(maxsize=200_000)
def _word(one: str, other: str) -> float:
    if one == other:
        return 1.0
    short, long = sorted((one, other), key=len)
    if short.isdigit() or long.isdigit() or _weight(one) == _CLUB_WEIGHT or _weight(other) == _CLUB_WEIGHT:
        return 0.0
    if len(short) >= 3 and long.startswith(short):
        return 0.9
    alike = JaroWinkler.similarity(one, other)
    return alike - 0.1 if alike >= _TYPO and len(short) >= 4 else 0.0


def _of_code(code: Name, name: Name) -> float:
    """A short code against a name: weak evidence, however well it fits."""
    letters = code.words[0]
    telling = [word for word in name.words if _weight(word) > _CLUB_WEIGHT] or list(name.words)
    if letters in ("".join(word[0] for word in name.words), "".join(word[0] for word in telling)):
        return 0.6
    if telling[0].startswith(letters):
        return 0.55
    joined = iter("".join(telling))
    return 0.4 if telling[0][0] == letters[0] and all(letter in joined for letter in letters) else 0.0


def person_similarity(one: str, other: str) -> float:
    """How much two names of players say that they are one man, 0 to 1.

    The order of the words does not count; an initial stands for any word it begins; a part of a long name (Malcom,
    of Malcom Filipe Silva de Oliveira) counts less than the whole.
    """
    left = [word for word in plain(one).split() if word not in ("de", "da", "do", "dos", "del", "la", "van", "von")]
    right = [word for word in plain(other).split() if word not in ("de", "da", "do", "dos", "del", "la", "van", "von")]
    if not left or not right:
        return 0.0
    if sorted(left) == sorted(right):
        return 1.0
    few, many = sorted((left, right), key=len)
    free = list(many)
    agreed = whole = 0.0
    for word in sorted(few, key=len, reverse=True):
        score, found = max(((_person_word(word, other), other) for other in free), default=(0.0, ""))
        if score > 0:
            free.remove(found)
            agreed += score
            whole += score if min(len(word), len(found)) > 1 else 0
    if not whole:
        return 0.0
    return min(0.99, (agreed / len(few)) * (0.8 + 0.2 * len(few) / len(many)) - 0.15 * (len(few) == 1))


def _person_word(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if min(len(one), len(other)) == 1:
        return 0.8 if one[0] == other[0] else 0.0
    alike = JaroWinkler.similarity(one, other)
    return alike - 0.1 if alike >= _TYPO else 0.0
