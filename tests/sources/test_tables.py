"""Tables that stay in their engine: every row judged, none fetched, and nothing said of a host."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyarrow import parquet

from aims_gate.errors import GateError, SourceError
from aims_gate.facts import DigestKind
from aims_gate.frames.ibis_digest import table_v1_of
from aims_gate.operations.run import real_world
from aims_gate.pipeline import run
from aims_gate.policy.model import Role
from aims_gate.policy.operator import VARIABLE
from aims_gate.request import Request
from aims_gate.verdict import Decision, Outcome, Verdict

ROWS = """
select
    i as id,
    case when i % 5 < 2 then 'F' else 'M' end as sex,
    (i * 7919 % 1000) / 1000.0::double as p,
    (i * 104729 % 10 < 6)::int as y,
    (i * 7919 % 1000 >= 500)::int as yhat,
    timestamp '2026-11-01' + to_hours(i % 480) as seen,
    1 + i % 3 as times
from range(4000) t(i)
"""
POLICY = """
apiVersion: aims-gate/v1
kind: Policy
metadata: {{id: loans, version: "1.0.0", owner: model-risk@acme.example}}
data:
  evaluation: {{label: y, {answers}, positive: 1, sensitive: [sex]{more}}}
rules:
  - id: PERF-01
    check: performance.score
    with: {{metric: accuracy}}
    require: {{at_least: 0.3}}
  - id: PERF-02
    check: performance.score
    with: {{metric: roc_auc}}
    require: {{at_least: 0.3}}
  - {{id: BIAS-01, check: fairness.impact_ratio, require: {{at_least: 0.5}}}}
  - {{id: DATA-01, check: data.missing, with: {{columns: [y, p]}}, require: {{at_most: 0}}}}
  - {{id: DATA-02, check: data.duplicates, with: {{columns: [id]}}, require: {{at_most: 0}}}}
  - {{id: INTEG-01, check: integrity.data, require: {{at_most: 0}}}}
"""
HELD = ", table: main.scored, connection: warehouse"

Gate = Callable[..., Verdict]


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """A DuckDB file with the table `main.scored`."""
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"create table scored as {ROWS}")
    return path


@pytest.fixture
def gate(tmp_path: Path, warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Gate a model in a folder under `POLICY`, filled in."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.txt").write_text("weights")
    config = tmp_path / "operator.yaml"
    config.write_text(
        "apiVersion: aims-gate/v1\nkind: Config\nconnections:\n"
        f"  warehouse: {{url: 'duckdb://{warehouse}', timeout_seconds: 60}}\n"
        f"  gone: {{url: 'duckdb://{tmp_path}/none.duckdb?password=hunter2'}}\n"
    )
    monkeypatch.setenv(VARIABLE, str(config))

    def gated(
        more: str = "", *, answers: str = "prediction: yhat, score: p", **given: Any
    ) -> Verdict:
        policy = tmp_path / "policy.yaml"
        policy.write_text(POLICY.format(more=more, answers=answers))
        data = {Role(role): rows for role, rows in given.get("data", {}).items()}
        request = Request(policy=str(policy), model=f"file:{tmp_path / 'model'}", data=data)
        return run(request, real_world(given.get("progress", lambda _text: None)))

    return gated


def outcomes(verdict: Verdict) -> dict[str, Outcome]:
    return {result.rule: result.outcome for result in verdict.results}


def values(verdict: Verdict) -> dict[tuple[str, str, str], float | None]:
    return {
        (result.rule, cell.name, cell.slice): cell.value
        for result in verdict.results
        for cell in result.statistics
    }


def same_rows() -> pa.Table:
    with duckdb.connect() as connection:
        relation = connection.query(ROWS)
        assert relation is not None
        return relation.to_arrow_table()


@pytest.mark.parametrize(
    ("more", "answers"),
    [
        ("", "prediction: yhat, score: p"),
        ("", "score: p, threshold: 0.25"),
        (", weight: times", "prediction: yhat, score: p"),
        (", time: seen, window: {days: 3}", "prediction: yhat, score: p"),
        (", types: {sex: text, p: number}, min_rows: 100", "prediction: yhat, score: p"),
    ],
)
def test_a_table_is_judged_as_its_rows_in_memory_are(gate: Gate, more: str, answers: str) -> None:
    held = gate(more + HELD, answers=answers)
    whole = gate(more, answers=answers, data={"evaluation": same_rows()})
    assert outcomes(held) == outcomes(whole)
    there, here = values(held), values(whole)
    assert there.keys() == here.keys()
    assert there == pytest.approx(here, rel=1e-9, nan_ok=True)
    assert held.decision is whole.decision
    assert held.datasets[0].rows == whole.datasets[0].rows


def test_evidence_names_connection_table_and_engine_and_no_address(gate: Gate) -> None:
    (found,) = gate(HELD).datasets
    assert (found.uri, found.name) == ("table:warehouse/main.scored", "main.scored")
    assert found.digest_kind is DigestKind.TABLE
    (note,) = found.notes
    assert note.startswith("held by duckdb ")
    assert note.endswith(", connection warehouse")
    assert "duckdb:/" not in repr(found)


def test_a_caller_may_name_a_table_or_hand_over_a_relation(gate: Gate, warehouse: Path) -> None:
    named = gate(data={"evaluation": "table:warehouse/scored"})
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        handed = gate(data={"evaluation": connection.table("scored")})
    assert named.decision is handed.decision is Decision.PASSED
    assert named.datasets[0].digest == handed.datasets[0].digest


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (", table: main.none, connection: warehouse", "connection warehouse: the engine has no"),
        (", table: main.scored, connection: gone", "connection gone: the url of a DuckDB file"),
    ],
)
def test_what_is_wrong_with_a_connection_is_told_with_its_name(
    gate: Gate, held: str, told: str
) -> None:
    reasons = [result.reason for result in gate(held).results]
    assert reasons
    assert all(told in reason for reason in reasons), reasons


def test_the_operator_limits_tables_that_no_connection_names(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "limits.yaml"
    monkeypatch.setenv(VARIABLE, str(config))
    for limit, reason in (("max_bytes: 100", "100 bytes"), ("timeout_seconds: 1e-6", "1e-06 s")):
        config.write_text(f"apiVersion: aims-gate/v1\nkind: Config\ntables: {{{limit}}}\n")
        with duckdb.connect() as connection:
            held = gate(data={"evaluation": connection.sql(ROWS)})
        assert held.decision is not Decision.PASSED
        assert any(reason in result.reason for result in held.results), held.results


def test_pinned_bytes_are_the_tables_digest_in_any_order_of_rows(
    gate: Gate, warehouse: Path
) -> None:
    digest = gate(HELD).datasets[0].digest
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create or replace table scored as select * from scored order by p, id")
    assert gate(f"{HELD}, sha256: {digest}").decision is Decision.PASSED
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update scored set p = p + 1e-12 where id = 17")
    assert set(outcomes(gate(f"{HELD}, sha256: {digest}")).values()) == {Outcome.ERROR}


@pytest.mark.parametrize(
    "held",
    [
        ", table: main.none, connection: warehouse",
        ", table: scored, connection: gone",
        f"{HELD}, types: {{p: text}}",
        f"{HELD}, window: {{days: 3}}",
        f"{HELD}, time: p, window: {{days: 3}}",
        f"{HELD}, weight: sex",
    ],
)
def test_a_table_that_is_not_what_was_said_is_an_error_of_every_rule(gate: Gate, held: str) -> None:
    verdict = gate(held)
    assert verdict.decision is Decision.UNDECIDED
    assert set(outcomes(verdict).values()) == {Outcome.ERROR}
    assert "hunter2" not in repr(verdict)


def test_a_connection_that_nobody_wrote_down_decides_nothing(gate: Gate) -> None:
    verdict = gate(", table: scored, connection: warehous")
    assert set(outcomes(verdict).values()) == {Outcome.ERROR}
    assert "did you mean 'warehouse'" in verdict.results[0].reason


def test_rows_that_change_while_they_are_judged_are_never_signed_for(gate: Gate) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"create table scored as {ROWS}")

        def changing(text: str) -> None:
            if "DATA-01" in text:
                connection.execute("update scored set p = 0.5 where id = 3")

        with pytest.raises(SourceError, match="changed while they were asked about"):
            gate(data={"evaluation": connection.table("scored")}, progress=changing)


def byte_changed(path: Path) -> None:
    """The first byte of the last block, which no query of the gate need read."""
    with path.open("r+b") as file:
        file.seek(-262144, 2)
        (byte,) = file.read(1)
        file.seek(-262144, 2)
        file.write(bytes([byte ^ 1]))


def replaced(path: Path) -> None:
    other = path.with_name("other.duckdb")
    with duckdb.connect(str(other)) as connection:
        connection.execute(f"create table scored as {ROWS}")
    other.replace(path)


def log_written(path: Path) -> None:
    path.with_name(f"{path.name}.wal").write_bytes(b"an insert")


@pytest.mark.parametrize("change", [byte_changed, replaced, log_written])
def test_a_file_that_changes_while_it_is_judged_is_never_signed_for(
    gate: Gate, warehouse: Path, change: Callable[[Path], None]
) -> None:
    def changing(text: str) -> None:
        if "INTEG-01" in text:
            change(warehouse)

    with pytest.raises(SourceError, match="the file of the table changed while it was asked about"):
        gate(HELD, progress=changing)


def test_of_a_file_that_is_held_rows_are_hashed_once(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And twice, by `integrity.data` and at the end, where the system lists no descriptors."""
    taken = []

    def counted(*given: Any, **more: Any) -> str:
        taken.append(given)
        return table_v1_of(*given, **more)

    monkeypatch.setattr("aims_gate.frames.ibis_frame.table_v1_of", counted)
    assert gate(HELD).decision is Decision.PASSED
    assert len(taken) == 1
    monkeypatch.setattr("aims_gate.frames.held_file._OPEN", Path("/none"))
    assert gate(HELD).decision is Decision.PASSED
    assert len(taken) == 1 + 3


def test_a_table_is_only_read(gate: Gate, warehouse: Path) -> None:
    before = warehouse.read_bytes()
    gate(HELD)
    assert warehouse.read_bytes() == before


def test_a_folder_of_parquet_beyond_the_budget_is_asked_through_duckdb(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    rows = same_rows()
    parquet.write_table(rows[:1000], folder / "a.parquet")
    parquet.write_table(rows[1000:], folder / "b.parquet")
    whole = gate(data={"evaluation": str(folder)})
    monkeypatch.setenv("AIMS_GATE_MAX_DATA_BYTES", "20000")
    large = gate(data={"evaluation": str(folder)})
    assert values(large) == pytest.approx(values(whole), rel=1e-9, nan_ok=True)
    assert large.datasets[0].digest == whole.datasets[0].digest
    assert any("held by duckdb" in note for note in large.datasets[0].notes)

    def changing(text: str) -> None:
        if "DATA-01" in text:
            parquet.write_table(rows[:1000].slice(0, 999), folder / "a.parquet")

    with pytest.raises(SourceError, match="changed while they were asked about"):
        gate(data={"evaluation": str(folder)}, progress=changing)

    def put_back(text: str) -> None:
        if "DATA-01" in text:
            (folder / "b.parquet").rename(folder / "kept")
            (folder / "kept").rename(folder / "b.parquet")

    with pytest.raises(SourceError, match="changed while they were asked about"):
        gate(data={"evaluation": str(folder)}, progress=put_back)
    (folder / "c.parquet").write_text("no Parquet")
    assert gate(data={"evaluation": str(folder)}).decision is Decision.UNDECIDED


SEEN = "not contains(lower(current_query()), 'sha256')"
VIEW = "create view forged as select * replace (if(SEEN, y, yhat) as yhat) from scored"
COLUMN = (
    "create table forged (id int, sex text, p double, y int, "
    "yhat int generated always as (if(SEEN, y, 0))); "
    "insert into forged (id, sex, p, y) select id, sex, p, y from scored"
)


@pytest.mark.parametrize("written", [VIEW, COLUMN])
def test_a_table_that_reads_the_question_is_judged_by_the_rows_of_its_digest(
    gate: Gate, warehouse: Path, written: str
) -> None:
    """A view or a generated column that shows better rows to all but whoever takes the digest."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(written.replace("SEEN", SEEN))
        relation = connection.query("from forged")
        assert relation is not None
        better = relation.to_arrow_table()
    verdict = gate(", table: main.forged, connection: warehouse")
    with duckdb.connect() as connection:
        same = gate(data={"evaluation": connection.from_arrow(better)})
    assert values(verdict)["PERF-01", "accuracy", ""] == 1
    assert verdict.datasets[0].digest == same.datasets[0].digest


def test_a_view_that_never_ends_is_stopped_when_its_time_is_up(
    gate: Gate, warehouse: Path, tmp_path: Path
) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "create view endless as select a.id % 7 as y from scored a, scored b, scored c, scored"
        )
    config = tmp_path / "operator.yaml"
    config.write_text(config.read_text().replace("timeout_seconds: 60", "timeout_seconds: 0.5"))
    start = time.monotonic()
    verdict = gate(", table: endless, connection: warehouse")
    assert time.monotonic() - start < 30
    assert set(outcomes(verdict).values()) == {Outcome.ERROR}
    assert "gave no answer within 0.5 s" in verdict.results[0].reason


@pytest.mark.parametrize("name", ["sha256", "SUM", "floor", "count"])
def test_a_macro_in_place_of_a_function_is_refused(gate: Gate, warehouse: Path, name: str) -> None:
    """It would answer for the digest, or for a count; one of a name of its own does no harm."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create macro own_rate(x) as x / 100")
    assert gate(HELD).decision is Decision.PASSED
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(f"create macro {name}(x) as 4000")
        connection.execute("create macro lower(x) as 'a'")
        connection.execute(
            "create macro duckdb_functions() as table select 'a' function_name, true internal"
        )
    verdict = gate(HELD)
    assert set(outcomes(verdict).values()) == {Outcome.ERROR}
    assert "in place of DuckDB" in verdict.results[0].reason


def test_a_delta_table_beyond_the_budget_is_judged_in_the_version_that_it_had(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written meanwhile is another version; what VACUUM removes meanwhile ends the run."""
    lake, rows = tmp_path / "lake", same_rows()
    write_deltalake(lake, rows)
    write_deltalake(lake, rows.set_column(4, "yhat", rows["y"]), mode="overwrite")
    whole = gate(data={"evaluation": str(lake)})
    assert values(whole)["PERF-01", "accuracy", ""] == 1
    first = gate(", snapshot: 0", data={"evaluation": str(lake)})
    assert (whole.datasets[0].snapshot, first.datasets[0].snapshot) == ("1", "0")
    assert values(first) == pytest.approx(
        values(gate(data={"evaluation": rows})), rel=1e-9, nan_ok=True
    )
    monkeypatch.setenv("AIMS_GATE_MAX_DATA_BYTES", "20000")

    def appending(text: str) -> None:
        if "DATA-01" in text:
            write_deltalake(lake, rows, mode="append")

    large = gate(data={"evaluation": str(lake)}, progress=appending)
    assert values(large) == pytest.approx(values(whole), rel=1e-9, nan_ok=True)
    assert large.datasets[0].digest == whole.datasets[0].digest
    assert any("held by duckdb" in note for note in large.datasets[0].notes)

    def removing(text: str) -> None:
        if "DATA-01" in text:
            write_deltalake(lake, rows, mode="overwrite")
            table = DeltaTable(lake)
            table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)

    with pytest.raises(GateError) as ended:
        gate(data={"evaluation": str(lake)}, progress=removing)
    assert ended.value.exit_code == 3
