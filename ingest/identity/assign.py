"""The best one-to-one pairing: exact, by shortest augmenting paths, each connected group of candidates by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

L = TypeVar("L", str, int)
R = TypeVar("R", str, int)


def pair(scores: Mapping[tuple[L, R], float]) -> dict[L, R]:
    """Pairs with the largest sum of scores; only pairs in ``scores``, and of a positive score, are ever made.

    Deterministic whatever the order of the mapping: ties go to the smaller names.
    """
    positive = {key: score for key, score in scores.items() if score > 0}
    found: dict[L, R] = {}
    for lefts, rights in _groups(positive):
        found.update(_solve(lefts, rights, positive))
    return found


def _groups(scores: Mapping[tuple[L, R], float]) -> list[tuple[list[L], list[R]]]:
    """The connected parts of the graph of candidates, in order."""
    of_left: dict[L, list[R]] = {}
    of_right: dict[R, list[L]] = {}
    for left, right in sorted(scores):
        of_left.setdefault(left, []).append(right)
        of_right.setdefault(right, []).append(left)
    groups: list[tuple[list[L], list[R]]] = []
    seen: set[L] = set()
    for start in of_left:
        if start in seen:
            continue
        lefts, rights, waiting = {start}, set[R](), [start]
        while waiting:
            for right in of_left[waiting.pop()]:
                if right not in rights:
                    rights.add(right)
                    fresh = [left for left in of_right[right] if left not in lefts]
                    lefts.update(fresh)
                    waiting += fresh
        seen |= lefts
        groups.append((sorted(lefts), sorted(rights)))
    return groups


def _solve(lefts: list[L], rights: list[R], scores: Mapping[tuple[L, R], float]) -> dict[L, R]:
    """The Hungarian method on one group; a column of zero for each row is the choice to stay alone."""
    n, m = len(lefts), len(rights) + len(lefts)
    cost = [[-scores.get((left, right), 0.0) for right in rights] + [0.0] * n for left in lefts]
    infinite = float("inf")
    row_price, column_price = [0.0] * (n + 1), [0.0] * (m + 1)
    owner, way = [0] * (m + 1), [0] * (m + 1)
    for row in range(1, n + 1):
        owner[0], column = row, 0
        slack, used = [infinite] * (m + 1), [False] * (m + 1)
        while owner[column]:
            used[column] = True
            at, step, following = owner[column], infinite, 0
            for j in range(1, m + 1):
                if used[j]:
                    continue
                reduced = cost[at - 1][j - 1] - row_price[at] - column_price[j]
                if reduced < slack[j]:
                    slack[j], way[j] = reduced, column
                if slack[j] < step:
                    step, following = slack[j], j
            for j in range(m + 1):
                if used[j]:
                    row_price[owner[j]] += step
                    column_price[j] -= step
                else:
                    slack[j] -= step
            column = following
        while column:
            before = way[column]
            owner[column], column = owner[before], before
    return {
        lefts[owner[j] - 1]: rights[j - 1]
        for j in range(1, len(rights) + 1)
        if owner[j] and scores.get((lefts[owner[j] - 1], rights[j - 1]), 0.0) > 0
    }
