"""Numbers, curves and brackets of a statement, read from their decimal strings."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from pydantic import PlainValidator

from aims_gate.bracket import Bracket
from aims_gate.documents.keys import refuse
from aims_gate.facts import Curve

_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,40})?(e[+-]\d{1,3})?", re.IGNORECASE)


def as_number(value: object) -> float | None:
    """Read a decimal string; None for null. A refusal of the schema for anything else."""
    if value is None:
        return None
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise refuse(f"is no decimal: {str(value)[:40]!a}")
    return float(value)


def _curve(value: Any) -> Curve:
    series = {name: [as_number(point) for point in value[name]] for name in ("x", "y")}
    return Curve.read({**value, **series})


def _read_by(read: Callable[[Any], object], what: str) -> PlainValidator:
    def validate(value: Any) -> object:
        try:
            return read(value)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise refuse(f"is no {what}: {error}") from None

    return PlainValidator(validate)


CurveSaid = Annotated[Curve, _read_by(_curve, "curve")]
BracketSaid = Annotated[Bracket, _read_by(partial(Bracket.read, number=as_number), "bracket")]
Number = Annotated[float | None, PlainValidator(as_number)]
