"""Stand-ins of missing libraries: a name can be written down, and no value comes of it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest

from aims_gate.absent import LIBRARIES, _Module, _StandInFinder, install_line
from aims_gate.errors import MissingExtraError

USES: tuple[Callable[[Any], object], ...] = (
    *(bool, int, float, str, len, iter, hash, format, bytes, complex, operator.index),
    *(lambda name, use=use: use(name, 1) for use in (operator.eq, operator.ne, operator.lt)),
    *(lambda name, use=use: use(name, 1) for use in (operator.gt, operator.add, operator.mul)),
    *(lambda name, use=use: use(1, name) for use in (operator.eq, operator.sub, operator.mul)),
    lambda name: isinstance(1, name),
    lambda name: 1 in name,
    lambda name: max(name, 0),
    lambda name: f"{name:.3f}",
)


@pytest.mark.parametrize("use", USES)
def test_no_use_of_a_stand_in_gives_a_value(use: Callable[[Any], object]) -> None:
    """Neither a truth, a number, a comparison nor text: a verdict could not come of one."""
    numpy = _Module("numpy")
    for name in (numpy.float64, numpy.sqrt(2), numpy.typing.NDArray[numpy.float64]):
        with pytest.raises(MissingExtraError, match="needs numpy, which is not installed"):
            use(name)


def test_only_libraries_of_run_are_found() -> None:
    """A misspelt or a foreign module is not."""
    assert {
        name for name in LIBRARIES if _StandInFinder.find_spec(f"{name}.any") is not None
    } == LIBRARIES
    assert _StandInFinder.find_spec("pandas") is None
    assert _StandInFinder.find_spec("numpyx") is None


def test_other_import_errors_stay_what_they_are() -> None:
    """A crash of ours is no missing extra."""
    with pytest.raises(ModuleNotFoundError, match="no_such_module"), install_line("a"):
        import no_such_module  # type: ignore[import-not-found]  # noqa: F401
    error = ModuleNotFoundError("", name="scipy.special")
    with pytest.raises(MissingExtraError, match=r"^a needs scipy"), install_line("a"):
        raise error
