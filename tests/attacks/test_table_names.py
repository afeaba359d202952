"""Columns of a table that are called as the gate's own questions call theirs."""

from __future__ import annotations

import pytest

from aims_gate.errors import DataError
from aims_gate.frames.ibis_session import OWN
from aims_gate.verdict import Outcome
from tests.attacks.warehouse import Warehouse, held, outcomes

COPIED = "rules: [{id: DATA-01, check: data.overlap, require: {at_most: 0.001}}]\n"
TABLES = "data:\n" + held("evaluation", "tested") + held("reference", "trained")


@pytest.mark.parametrize("name", ["least", "LEAST", "N", "n", "Prefix", "(rows)", "(Rows)"])
def test_no_columns_name_hides_that_the_model_was_tested_on_its_training_rows(
    warehouse: Warehouse, name: str
) -> None:
    """`LEAST` was taken for the gate's own `least`: all rows were copies, and none was counted."""
    warehouse.write(
        f'create table trained as from range(500) t(i) select i // 8 + 1 as "{name}"',
        "create table tested as from trained limit 300",
    )
    assert outcomes(warehouse.gate(TABLES + COPIED)) == {"DATA-01": Outcome.FAIL}


@pytest.mark.parametrize("name", ["(shift) x", "(scaled) x", "(SCALED) X", "(apart)", "hash"])
def test_the_digest_covers_a_column_of_any_name(warehouse: Warehouse, name: str) -> None:
    """`(shift) x` was overwritten by the gate's own, so that a pin held whatever it contained."""
    digests = set()
    for table, value in (("one", 1), ("two", 2), ("same", 2)):
        warehouse.write(f'create table {table} as select 1.5::double x, {value} "{name}"')
        digests.add(warehouse.frame(table).digest())
    assert len(digests) == 2


@pytest.mark.parametrize("name", ["(rows)", "rows", "count", "0", "stored", "total"])
def test_rows_and_nulls_are_those_of_the_table(warehouse: Warehouse, name: str) -> None:
    """Of a column `(rows)` the nulls were taken for the rows of the whole table."""
    warehouse.write(
        f'create table t as from range(9) t(i) select i as x, if(i < 3, null, i) as "{name}"'
    )
    frame = warehouse.frame("t")
    assert (frame.rows, frame.nulls("x"), frame.nulls(name)) == (9, 0, 3)
    assert warehouse.frame("t", weight="x").rows == sum(range(9))


@pytest.mark.parametrize("own", [f"{OWN}rows", f"{OWN.upper()}SHIFT x"])
def test_the_gates_own_names_are_refused(warehouse: Warehouse, own: str) -> None:
    warehouse.write(f'create table t as select 1 as "{own}"')
    with pytest.raises(DataError, match="names of the gate's own"):
        warehouse.frame("t")
