"""Truth values of bytes, 64 to a word: what holds of a byte, of its neighbours, and how often.

So a question about all bytes of a block costs an eighth of a pass over them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

WORD = 64
_ONE, _LAST = np.uint64(1), np.uint64(WORD - 1)
_PAIRS, _FOURS, _EIGHTS, _SUM = (np.uint64(int(byte * 8, 16)) for byte in ("55", "33", "0f", "01"))

Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


def packed(flags: Flags) -> Words:
    """Pack truth values 64 to a word, the first into the lowest bit."""
    return np.packbits(flags, bitorder="little").view("<u8").astype(np.uint64, copy=False)


def ahead(words: Words, by: int = 1) -> Words:
    """Tell of each place what holds of the one *by* places after it."""
    moved = words >> np.uint64(by)
    moved[:-1] |= words[1:] << np.uint64(WORD - by)
    return moved


def behind(words: Words) -> Words:
    """Tell of each place what holds of the one before it."""
    moved = words << _ONE
    moved[1:] |= words[:-1] >> _LAST
    return moved


def middle(words: Words) -> Words:
    """Flags of the block itself, without the words of context around it."""
    kept = words.copy()
    kept[0] = kept[-1] = 0
    return kept


def last(words: Words) -> bool:
    """Tell what holds of the last place of a block."""
    return bool(words[-2] >> _LAST)


def odd(words: Words) -> Words:
    """Tell where those up to a place, itself included, are odd in number."""
    for shift in (1, 2, 4, 8, 16, 32):
        words = words ^ (words << np.uint64(shift))
    each = (words >> _LAST).astype(np.bool_)
    words[np.logical_xor.accumulate(each) ^ each] ^= ~np.uint64(0)
    return words


def count(words: Words) -> int:
    """Count the places that something holds of."""
    return int(_ones(words).sum())


def places(words: Words) -> Places:
    """Number the places that something holds of."""
    bytes_ = words.astype("<u8", copy=False).view(np.uint8)
    return np.flatnonzero(np.unpackbits(bytes_, bitorder="little").view(np.bool_))


def before(words: Words, at: Places) -> Places:
    """Count for each place of *at* the places before it that something holds of."""
    ones = _ones(words)
    earlier, of = np.cumsum(ones) - ones, at >> 6
    below = (_ONE << (at & 63).astype(np.uint64)) - _ONE
    many: Places = earlier[of] + _ones(words[of] & below)
    return many


def _ones(words: Words) -> Places:
    """Count the bits of each word that are 1: of pairs, fours and eights at once."""
    ones = words - (words >> _ONE & _PAIRS)
    ones = (ones & _FOURS) + (ones >> np.uint64(2) & _FOURS)
    ones = ones + (ones >> np.uint64(4)) & _EIGHTS
    many: Places = (ones * _SUM >> np.uint64(56)).astype(np.int64)
    return many
