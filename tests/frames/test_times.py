"""Times that no calendar has are refused, whatever they are asked."""

from __future__ import annotations

import pyarrow as pa
import pytest

from aims_gate.errors import DataError
from aims_gate.frames.opening import open_frame


@pytest.mark.parametrize(
    "times",
    [
        pa.array([2**62], pa.timestamp("us")),
        pa.array([0, 2**62], pa.timestamp("us", "UTC")),
        pa.array([2**62], pa.timestamp("s")),
        pa.array([2**31 - 1], pa.date32()),
    ],
    ids=["without a zone", "in UTC", "in seconds", "days"],
)
def test_a_time_that_no_calendar_has_is_an_error(times: pa.Array) -> None:
    with pytest.raises(DataError, match=r"no calendar has|cannot be used"):
        open_frame({"t": times}).span("t")
