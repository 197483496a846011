"""Sums over memory of whole matches: one exact integer convolution of every column with every weight table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from momentum.methodology import Memory

Ints = NDArray[np.int64]
_Spectrum = NDArray[np.complex128]
_FEW = 32
_EXACT_NORM = float(1 << 43)
_HALF_BITS = 16


@dataclass(frozen=True)
class _Transform:
    """Spectra and Euclidean norms of a table, whole and of its low and high 16 bits."""

    whole: _Spectrum
    low: _Spectrum
    high: _Spectrum
    whole_norm: float
    half_norm: float


_TRANSFORMS: dict[tuple[str, int], _Transform] = {}


def convolve(columns: Ints, memories: Sequence[Memory], needed: Sequence[Collection[int]] | None = None) -> list[Ints]:
    """``sum columns[:, n - age] * table[age]`` for every n, exactly; one array of the same shape per memory.

    ``needed`` tells for each memory which rows are wanted; the others may be anything.

    A constant table is a difference of running sums; columns with few amounts are added up one by one. Any other
    goes through Fourier transforms. Their error is below 4 eps log2(size) |column| |table| (Euclidean norms): with a
    product of norms below 2^43 less than 0.2, so that rounding gives the exact integer. Where the whole table is too
    much, the halves of its bits are convolved apart. Larger amounts are summed plainly, and so is what a transform got
    wrong: its plan needs the x87 unit, which an SVM in the same thread leaves full of MMX values (measured), and
    then every value is NaN.
    """
    count = columns.shape[1]
    results: list[Ints] = [np.zeros_like(columns) for _ in memories]
    varying = []
    every = range(len(columns))
    for memory, result, rows in zip(memories, results, needed or [every] * len(memories), strict=True):
        if memory.constant:
            _running(columns, memory.table, result)
        else:
            varying.append((memory, result, np.isin(every, list(rows))))
    if not varying:
        return results
    filled = columns != 0
    fills = filled.sum(axis=1)
    few = np.flatnonzero((fills > 0) & (fills <= _FEW))
    at, seconds = np.nonzero(filled[few])
    places, few_amounts = few[at], columns[few[at], seconds]
    weighted = np.empty(count, dtype=np.int64)
    for row, second, amount in zip(places.tolist(), seconds.tolist(), few_amounts.tolist(), strict=True):
        for memory, result, wanted in varying:
            if not wanted[row]:
                continue
            weights = memory.table[: count - second]
            if amount != 1:
                weights = np.multiply(weights, amount, out=weighted[: len(weights)])
            stretch = result[row, second : second + len(weights)]
            np.add(stretch, weights, out=stretch)
    busy = np.flatnonzero(fills > _FEW)
    if len(busy):
        size = _transform_size(2 * count)
        amounts = np.zeros((len(busy), size))
        amounts[:, :count] = columns[busy]
        norms = np.sqrt(np.einsum("ij,ij->i", amounts[:, :count], amounts[:, :count]))
        with np.errstate(invalid="ignore"):
            spectra = np.fft.rfft(amounts, axis=1)
            for memory, result, wanted in varying:
                mine = wanted[busy]
                if mine.any():
                    _transform(columns, busy[mine], spectra[mine], norms[mine], size, memory, result)
    return results


def _running(columns: Ints, table: Ints, result: Ints) -> None:
    np.cumsum(columns, axis=1, out=result)
    if len(table) < result.shape[1]:
        result[:, len(table) :] -= result[:, : -len(table)].copy()
    result *= table[0]


def _transform(
    columns: Ints,
    busy: NDArray[np.intp],
    spectra: _Spectrum,
    norms: NDArray[np.float64],
    size: int,
    memory: Memory,
    result: Ints,
) -> None:
    """The ``busy`` columns' convolutions from their ``spectra``, rounded to the exact integers, into ``result``."""
    key, count = (memory.digest, size), columns.shape[1]
    if key not in _TRANSFORMS:
        _TRANSFORMS[key] = _spectra(memory.table[: size // 2], size)
    tables = _TRANSFORMS[key]
    at_once = norms * tables.whole_norm < _EXACT_NORM
    in_halves = ~at_once & (norms * tables.half_norm < _EXACT_NORM)
    if at_once.any():
        result[busy[at_once]] = _rounded(spectra[at_once], tables.whole, size, count)
    if in_halves.any():
        halved = spectra[in_halves]
        sums = _rounded(halved, tables.high, size, count)
        sums <<= _HALF_BITS
        sums += _rounded(halved, tables.low, size, count)
        result[busy[in_halves]] = sums
    expected = _grand_totals(columns[busy], memory)
    wrong = (result[busy].sum(axis=1) != expected) & (at_once | in_halves)
    for row in busy[wrong | ~(at_once | in_halves)].tolist():
        result[row] = np.convolve(columns[row], memory.table[:count])[:count]
    if wrong.any():
        del _TRANSFORMS[key]


def _spectra(table: Ints, size: int) -> _Transform:
    whole, low, high = table.astype(float), (table & 0xFFFF).astype(float), (table >> _HALF_BITS).astype(float)
    norms = [float(np.sqrt(part @ part)) for part in (whole, low, high)]
    spectra = [np.fft.rfft(part, size) for part in (whole, low, high)]
    return _Transform(spectra[0], spectra[1], spectra[2], norms[0], max(norms[1:]))


def _rounded(spectra: _Spectrum, table: _Spectrum, size: int, count: int) -> Ints:
    sums = np.fft.irfft(spectra * table, size, axis=1)[:, :count]
    result: Ints = np.rint(sums, out=sums).astype(np.int64)
    return result


_RUNNING: dict[str, Ints] = {}


def _grand_totals(columns: Ints, memory: Memory) -> Ints:
    """What each column's convolution adds up to over all ticks, modulo 2^64: an amount counts to the last tick."""
    running = _RUNNING.get(memory.digest)
    if running is None:
        running = _RUNNING[memory.digest] = np.cumsum(memory.table)
    recent = columns[:, -len(running) :]
    totals: Ints = recent @ running[recent.shape[1] - 1 :: -1] + columns[:, : -len(running)].sum(axis=1) * running[-1]
    return totals


def _transform_size(least: int) -> int:
    """The smallest 2^a 3^b 5^c that is not below ``least``: transforms of such sizes are quick."""
    best, five = 1 << least.bit_length(), 1
    while five < best:
        three = five
        while three < best:
            quotient = -(-least // three)
            best = min(best, three << max(0, (quotient - 1).bit_length()))
            three *= 3
        five *= 5
    return best
