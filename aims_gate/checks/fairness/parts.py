"""The rows of each group of an attribute, for what no count of cells can answer."""

from __future__ import annotations

from collections.abc import Sequence

from aims_gate.checks.fairness.families import (
    group_keys,
    group_name,
    refuse_alike,
    refuse_many,
)
from aims_gate.checks.fairness.groups import require
from aims_gate.frames import Frame
from aims_gate.sources.subject import Data


def parts_of(
    data: Data, frame: Frame, columns: tuple[str, ...], kept: Sequence[str]
) -> dict[str, Frame]:
    """Give the rows of each group by its name, with the columns *kept* only.

    Raises:
        MissingColumnError: A column of the attribute is not in the data.
        DataError: It cannot be grouped by, has more than 250 groups, or two with one name.
    """
    require(columns, data)
    keys = group_keys(frame, columns, data.spec)
    groups = frame.count(*keys).values
    refuse_many(columns, groups)
    refuse_alike(columns, groups)
    found = {
        group_name(columns, values): part
        for values, part in frame.parts(*keys, columns=tuple(dict.fromkeys(kept)))
    }
    return dict(sorted(found.items()))
