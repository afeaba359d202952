"""Keyword arguments of the functions that people call, with what a misspelt one was meant to be."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from aims_gate.errors import UsageError, near

P = ParamSpec("P")
R = TypeVar("R")


def named_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse a keyword that *function* has not with a UsageError that names the nearest."""
    known = [*inspect.signature(function).parameters]

    @wraps(function)
    def called(*args: P.args, **keywords: P.kwargs) -> R:
        for name in keywords:
            if name not in known:
                what = f"{function.__name__} has no argument {name!r}"
                raise UsageError(what, hint=near(name, known, most=len(known)))
        return function(*args, **keywords)

    return called
