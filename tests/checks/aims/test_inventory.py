"""Inventory and registry hold each other: a served model without an entry, an entry without one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aims_gate.checks.aims.inventory import Inventory
from aims_gate.checks.contract import NoDataError
from aims_gate.checks.parameters import problems_of
from aims_gate.governance.contract import Records
from aims_gate.plan import build
from aims_gate.sources.subject import ServedModel
from tests.checks.records.written import cells, document, statistics, subject, wrong

CREDIT = ServedModel(name="credit", aliases={"champion": "7"}, newest="8")
CHURN = ServedModel(name="churn", aliases={"champion": "3"}, newest="3")


def found(*models: ServedModel, check: Inventory | None = None, **written: Any) -> dict[str, str]:
    """What is wrong in an organisation of credit and churn, but for what is *written*."""
    keys = {
        "registry": ["credit"],
        "lifecycle": "production",
        "systems": ["credit", "churn"],
        **written,
    }
    system = document("system", registry=keys["registry"], lifecycle=keys["lifecycle"])
    organisation = document("organisation", "org/organisation.yaml", systems=keys["systems"])
    records = Records(documents=(system, organisation))
    of = replace(subject(records), models=lambda: models)
    return wrong(cells(check or Inventory(), records, of=of))


def test_an_inventory_that_is_the_registrys_is_sound() -> None:
    unserved = ServedModel(name="trial", newest="1", aliases={"candidate": "1"})
    assert found(CREDIT, CHURN, unserved) == {}


def test_a_served_version_without_an_entry_is_found() -> None:
    ranker = ServedModel(name="ranker", aliases={"champion": "4"}, newest="4")
    assert found(CREDIT, CHURN, ranker) == {"served models": "1"}
    staged = ServedModel(name="old", stages={"Production": "2"}, newest="2")
    assert found(CREDIT, CHURN, staged) == {"served models": "1"}
    live = ServedModel(name="trial", aliases={"live": "1"}, newest="1")
    assert found(CREDIT, CHURN, live) == {}
    other = Inventory(aliases=("champion", "live"))
    assert found(CREDIT, CHURN, live, check=other) == {"served models": "1"}


def test_a_model_that_cannot_be_read_is_no_model_that_is_in_order() -> None:
    strange = ServedModel(name="a/b", problem="no model URI can hold the name")
    assert found(CREDIT, CHURN, strange) == {"served models": "1"}


def test_an_entry_without_a_version_is_found() -> None:
    assert found(CREDIT) == {"org/organisation.yaml systems": "1"}
    empty = ServedModel(name="churn")
    assert found(CREDIT, empty) == {"org/organisation.yaml systems": "1"}
    assert found(CREDIT, CHURN, registry=["credit", "credit-2"]) == {
        "aims/system.yaml credit-2": "1"
    }


def test_this_model_must_be_the_systems() -> None:
    assert found(CREDIT, CHURN, registry=["churn"]) == {"credit": "1"}


@pytest.mark.parametrize("lifecycle", ["development", "retired"])
def test_what_is_not_in_production_is_not_served(lifecycle: str) -> None:
    assert found(CREDIT, CHURN, lifecycle=lifecycle) == {"aims/system.yaml credit": "1"}
    waiting = replace(CREDIT, aliases={})
    assert found(waiting, CHURN, lifecycle=lifecycle) == {}
    assert found(waiting, CHURN) == {}  # its first release is what is judged


def test_without_lists_or_a_registry_nothing_passes() -> None:
    assert found(CREDIT, systems=[]) == {"org/organisation.yaml systems": "MISSING"}
    with pytest.raises(NoDataError, match="of no registry"):
        statistics(Inventory(), Records())
    for cell in statistics(Inventory(), Records(), of=_listing()):
        assert cell.lack is not None
    assert list(problems_of(build("aims.inventory", {"aliases": []})))


def _listing() -> Any:
    return replace(subject(Records()), models=lambda: (CREDIT,))
