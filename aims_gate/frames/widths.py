"""Floats of two widths: the narrower one is compared, so that 0.1 equals itself in both.

A column of float32 holds 0.1 as the nearest float32, which is not the nearest float64. Columns of
two widths, and the limits of a policy, are therefore brought to the narrower width first; and a
value that is named (a class, a group) is the shortest decimal that tells it from others there.
"""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from aims_gate.frames import Distribution, Floats, Frame, Scalar

WIDE = 64


def float_bits(kind: pa.DataType) -> int:
    """Float precision of an Arrow type in bits; 64 if it holds no floats."""
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return float_bits(kind.value_type)
    return int(kind.bit_width) if pa.types.is_floating(kind) else WIDE


def narrowed(values: Floats, bits: int) -> Floats:
    """Round numbers to floats of so many bits."""
    if bits >= WIDE:
        return values
    with np.errstate(over="ignore"):
        narrow: Floats = values.astype(f"f{bits // 8}").astype(np.float64)
    return narrow


def limit_at(limit: float, bits: int) -> float:
    """A limit rounded to a column's precision; unchanged if that cannot hold it."""
    (narrow,) = narrowed(np.array([limit], dtype=np.float64), bits)
    lost = math.isinf(narrow) or (narrow == 0 and limit != 0)
    return limit if lost else float(narrow)


def shortest(values: Floats, bits: int) -> Floats:
    """Shortest decimals that round to floats of so many bits, as float64."""
    if bits >= WIDE:
        return values
    return values.astype(f"f{bits // 8}").astype(np.str_).astype(np.float64)


def stated_as(stated: Scalar, bits: int) -> Scalar:
    """A stated fraction as `Frame.count` reports it for a column of so many bits."""
    if not isinstance(stated, float) or stated.is_integer():
        return stated
    return float(shortest(np.array([limit_at(stated, bits)]), bits)[0])


def alike(one: Frame, other: Frame, column: str) -> tuple[Distribution, Distribution]:
    """Distributions of a column in two frames, both in the narrower precision."""
    bits = min(frame.columns[column].bits for frame in (one, other))
    first, second = (_at(frame, column, bits) for frame in (one, other))
    return first, second


def _at(frame: Frame, column: str, bits: int) -> Distribution:
    found = frame.distribution(column)
    if bits >= frame.columns[column].bits or not len(found.values):
        return found
    values = narrowed(found.values, bits) + 0.0  # -0.0 is 0.0
    begins = np.flatnonzero(np.append(True, values[1:] != values[:-1]))  # the first
    if len(begins) == len(values):
        return Distribution(values=values, counts=found.counts, nulls=found.nulls)
    counts = np.add.reduceat(found.counts, begins)
    return Distribution(values=values[begins], counts=counts, nulls=found.nulls)
