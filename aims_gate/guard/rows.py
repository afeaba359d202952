"""RegistryRows of MLflow's registry that the guard reads past MLflow, each in one statement.

MLflow's own search takes 29 ms for what a join does in a tenth of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Engine, inspect, text

_DELETED = "Deleted_Internal"
"""The stage of a version that MLflow has deleted, whose row and tags stay."""
_LOCATION = "COALESCE(NULLIF(v.storage_location, ''), v.source) AS location"
EVIDENCE = r"aims\_gate.%.evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """What MLflow's database says of a model version now."""

    source: str
    storage: str
    """Where clients download it from; who registered it wrote that, or what it led to then."""
    run_id: str
    status: str
    stage: str
    tags: tuple[tuple[str, str], ...]
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A version that is judged or live, by one of the reasons for which it is."""

    name: str
    version: int
    location: str
    alias: str | None
    stage: str | None

    def reason(self) -> str:
        """Why its files are frozen."""
        if self.alias is not None:
            return f"alias {self.alias!a} points at it"
        return "there is evidence about it" if self.stage is None else f"it is in {self.stage}"


class RegistryRows:
    """Reads the registry's tables of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @cached_property
    def _workspaces(self) -> bool:
        """Whether names are unique in a workspace only."""
        columns = inspect(self._engine).get_columns("model_versions")
        return "workspace" in {one["name"] for one in columns}

    def version(self, name: str, version: int, workspace: str | None) -> VersionRow | None:
        """A version's row with its tags and aliases; None if there is none, or it is deleted."""
        which = "name = :name AND version = :version"
        if self._workspaces:
            which += " AND workspace = :workspace"
        asked = {"name": name, "version": version, "workspace": workspace or "default"}
        with self._engine.connect() as connection:
            row = connection.execute(
                text(
                    "SELECT source, storage_location, run_id, status, current_stage"  # noqa: S608
                    f" FROM model_versions WHERE {which}"
                ),
                asked,
            ).one_or_none()
            if row is None or row[4] == _DELETED:
                return None
            tags = connection.execute(
                text(f"SELECT key, value FROM model_version_tags WHERE {which}"),  # noqa: S608
                asked,
            )
            pairs = tuple(sorted((str(key), str(value)) for key, value in tags))
            aliases = connection.execute(
                text(f"SELECT alias FROM registered_model_aliases WHERE {which}"),  # noqa: S608
                asked,
            )
            names = tuple(sorted(str(one) for (one,) in aliases))
        source, storage, run_id, status, stage = (str(one or "") for one in row)
        return VersionRow(
            source=source,
            storage=storage or source,
            run_id=run_id,
            status=status,
            stage=stage,
            tags=pairs,
            aliases=names,
        )

    def versions(self, name: str, workspace: str | None) -> list[tuple[int, str]]:
        """Versions of a model with MLflow's stage of each, without the deleted ones."""
        which = "name = :name AND current_stage <> :deleted"
        if self._workspaces:
            which += " AND workspace = :workspace"
        asked = {"name": name, "workspace": workspace or "default", "deleted": _DELETED}
        statement = f"SELECT version, current_stage FROM model_versions WHERE {which}"  # noqa: S608
        with self._engine.connect() as connection:
            return [(int(v), str(stage)) for v, stage in connection.execute(text(statement), asked)]

    def aliases(self, name: str, workspace: str | None) -> dict[str, int]:
        """Aliases of a model, each with its version."""
        which = "name = :name" + (" AND workspace = :workspace" if self._workspaces else "")
        statement = f"SELECT alias, version FROM registered_model_aliases WHERE {which}"  # noqa: S608
        asked = {"name": name, "workspace": workspace or "default"}
        with self._engine.connect() as connection:
            found = connection.execute(text(statement), asked)
            return {str(alias): int(version) for alias, version in found}

    def kept(self, *, stages: bool) -> Iterator[Kept]:
        """Versions that an alias points at, that have evidence or, if asked, are in a stage."""
        with self._engine.connect() as connection:
            found = connection.execute(
                text(self._kept_by_stage if stages else self._kept),
                {"evidence": EVIDENCE, "deleted": _DELETED},
            ).all()
        for name, version, location, alias, stage in found:
            yield Kept(name=name, version=version, location=location, alias=alias, stage=stage)

    def locations(self, *, stages: bool) -> list[str]:
        """Where the files of those versions are, each place once."""
        kept = self._kept_by_stage if stages else self._kept
        statement = f"SELECT location FROM ({kept}) AS kept"  # noqa: S608
        with self._engine.connect() as connection:
            asked = {"evidence": EVIDENCE, "deleted": _DELETED}
            return list(dict.fromkeys(connection.execute(text(statement), asked).scalars().all()))

    @cached_property
    def _kept(self) -> str:
        columns = f"SELECT v.name, v.version, {_LOCATION}"
        same = "v.name = x.name AND v.version = x.version"
        if self._workspaces:
            same += " AND v.workspace = x.workspace"
        there = "v.current_stage <> :deleted"
        return (
            f"{columns}, x.alias AS alias, NULL AS stage FROM registered_model_aliases x"
            f" JOIN model_versions v ON {same} WHERE {there}"
            f" UNION ALL {columns}, NULL AS alias, NULL AS stage FROM model_version_tags x"
            f" JOIN model_versions v ON {same} WHERE {there}"
            " AND x.key LIKE :evidence ESCAPE '\\'"
        )

    @cached_property
    def _kept_by_stage(self) -> str:
        return (
            f"{self._kept} UNION ALL"  # noqa: S608
            f" SELECT v.name, v.version, {_LOCATION}, NULL AS alias, v.current_stage AS stage"
            " FROM model_versions v WHERE v.current_stage IN ('Production', 'Staging')"
        )
