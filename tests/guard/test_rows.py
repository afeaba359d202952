"""What the guard reads of a registry's tables past MLflow."""

from __future__ import annotations

from sqlalchemy import create_engine

from aims_gate.guard.rows import RegistryRows
from tests.conftest import Store

EVIDENCE = "aims_gate.production.evidence"
KEPT = {
    "aliased": ("alias 'any' points at it",),
    "judged": ("there is evidence about it",),
    "both": ("alias 'any' points at it", "there is evidence about it"),
    "staged": ("it is in Staging",),
    "all": ("alias 'any' points at it", "there is evidence about it", "it is in Staging"),
}


def test_every_version_that_is_live_or_judged_is_kept_and_its_place_read_once(
    mlflow_store: Store,
) -> None:
    """An alias hides the evidence of its own version only, not that of an older one."""
    from mlflow.entities.model_registry import ModelVersionTag
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(mlflow_store.uri)

    def version(name: str, source: str, reasons: tuple[str, ...]) -> None:
        number = store.create_model_version(name, source).version
        if "there is evidence about it" in reasons:
            store.set_model_version_tag(name, number, ModelVersionTag(EVIDENCE, "sha256:"))
        if "alias 'any' points at it" in reasons:
            store.set_registered_model_alias(name, "any", number)
        if "it is in Staging" in reasons:
            store.transition_model_version_stage(name, number, "Staging", False)

    for name, reasons in KEPT.items():
        store.create_registered_model(name)
        version(name, f"/{name}/judged", ("there is evidence about it",))
        version(name, f"/{name}/now", reasons)
        version(name, f"/{name}/neither", ())
        version(name, f"/{name}/deleted", ("there is evidence about it",))
        store.delete_model_version(name, "4")
    rows = RegistryRows(create_engine(mlflow_store.uri))
    for stages in (False, True):
        kept = list(rows.kept(stages=stages))
        seen = rows.locations(stages=stages)
        assert sorted(seen) == sorted({one.location for one in kept})
        for name, reasons in KEPT.items():
            counted = {one for one in reasons if stages or "Staging" not in one}
            found = {one.reason() for one in kept if one.location == f"/{name}/now"}
            assert found == counted
            assert f"/{name}/judged" in seen
        assert not [one for one in seen if one.endswith(("neither", "deleted"))]
