"""Ages: the older of newest row and logging counts, and the future is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from aims_gate.checks.ages import age_of, ahead
from aims_gate.facts import NoValue
from aims_gate.policy.model import Role
from tests.checks.subjects import NOW, data

DATA = data({"x": [1]})


def days(count: float) -> datetime:
    return NOW - timedelta(days=count)


@pytest.mark.parametrize(
    ("newest", "created", "age"),
    [(days(3), None, 3), (None, days(3), 3), (days(3), days(9), 9), (days(-0.9), days(0), -0.9)],
)
def test_the_older_of_newest_row_and_logging_counts(
    newest: datetime | None, created: datetime | None, age: float
) -> None:
    found = age_of(replace(DATA, newest=newest, created=created), Role.EVALUATION, NOW)
    assert found.days == pytest.approx(max(age, 0) if created == days(0) else age)


def test_what_is_of_the_future_has_no_age() -> None:
    for given in ({"newest": days(-2)}, {"created": days(-0.1), "newest": days(4)}):
        found = age_of(replace(DATA, **given), Role.CURRENT, NOW)  # type: ignore[arg-type]  # dates
        assert (found.days, found.lack) == (None, NoValue.UNDEFINED)
        assert "the current data" in found.reason
    assert ahead(days(-1.1), NOW)
    assert not ahead(days(-1), NOW)


def test_without_data_or_a_time_nothing_is_known() -> None:
    dated = data({"x": [1]}, time="t")
    for found in (None, DATA, replace(dated, created=NOW)):
        assert age_of(found, Role.CURRENT, NOW).lack is NoValue.MISSING
