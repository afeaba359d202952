"""Everything by which an MLflow server can be written to: its routes, and its stores' methods.

A program, so that it can be run by another Python with another MLflow: it prints a line each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

_PREFIX = re.compile(r"^/(?:ajax-)?api/\d\.\d(?=/|mlflow)|^/v1(?=/)")
_PLACE = re.compile(r"<(?:\w+:)?[\w.]+>|\{[\w.]+(?::\w+)?\}")
_QUIET = frozenset({"HEAD", "OPTIONS"})


def routes() -> Iterator[str]:
    """Routes of the Flask and the FastAPI application, without prefixes and names of parameters."""
    from mlflow.server import app

    for rule in app.url_map.iter_rules():
        yield from _lines(rule.rule, rule.methods or ())
    try:
        from mlflow.server.fastapi_app import create_fastapi_app
    except ImportError:  # MLflow 2
        return
    yield from _native(create_fastapi_app(app).routes)


def _native(found: Iterable[Any], prefix: str = "") -> Iterator[str]:
    for route in found:
        if hasattr(route, "effective_candidates"):
            yield from _native(route.effective_candidates(), prefix)
        elif getattr(route, "methods", None):
            yield from _lines(prefix + route.path, route.methods)
        elif type(route).__name__ == "APIWebSocketRoute":
            yield from _lines(prefix + route.path, ["WEBSOCKET"])


def _lines(path: str, methods: Iterable[str]) -> Iterator[str]:
    short = _PLACE.sub("*", _PREFIX.sub("", path))
    return (f"route {method} {short}" for method in set(methods) - _QUIET)


def methods() -> Iterator[str]:
    """Public methods of the stores behind the server."""
    from mlflow.store.artifact.artifact_repo import ArtifactRepository, MultipartUploadMixin
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Tracking

    stores = [
        ("registry", Registry),
        ("tracking", Tracking),
        ("artifacts", ArtifactRepository),
        ("artifacts", MultipartUploadMixin),
    ]
    for kind, one in stores:
        public = (name for name in dir(one) if not name.startswith("_"))
        yield from (f"{kind} {name}" for name in public if callable(getattr(one, name)))


if __name__ == "__main__":
    import sys

    sys.stdout.write("\n".join(sorted({*routes(), *methods()})) + "\n")
