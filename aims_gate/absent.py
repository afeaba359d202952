"""Optional libraries of the extra `run`: stand-ins where they are not installed.

`verify` and `evidence` import none of them. The commands that read policies do, because a check
stands in one file with its arithmetic: there each missing library has a stand-in, whose names can
be written down and never used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import NoReturn

from aims_gate.errors import MissingExtraError

LIBRARIES = frozenset({"numpy", "pyarrow", "scipy"})
"""What the extra `run` brings."""
_EXTRAS = {
    **dict.fromkeys(LIBRARIES, "run"),
    **dict.fromkeys(("ibis", "duckdb"), "ibis"),
    "deltalake": "delta",
    **dict.fromkeys(
        ("starlette", "uvicorn", "sqlalchemy", "alembic", "prometheus_client"), "serve"
    ),
}
_USES = (
    *("bool", "bytes", "complex", "contains", "delitem", "enter", "eq", "float", "format", "ge"),
    *("gt", "hash", "index", "instancecheck", "int", "iter", "le", "len", "lt", "ne", "setitem"),
    *(
        "str",
        "add",
        "and",
        "invert",
        "lshift",
        "matmul",
        "mod",
        "mul",
        "neg",
        "pow",
        "radd",
        "rmul",
    ),
    *("rshift", "rsub", "rtruediv", "sub", "subclasscheck", "truediv", "xor"),
)
"""The special methods that ask for a value."""


@contextmanager
def install_line(purpose: str) -> Iterator[None]:
    """Turn the import error of such a library into one that names the pip command."""
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in _EXTRAS:
            raise
        raise MissingExtraError.for_library(library, _EXTRAS[library], purpose) from None


def stand_in(*, installed: bool = False) -> None:
    """Install import stand-ins for missing libraries; only in a process of the gate's own.

    With *installed* they stand for libraries that are installed, too: what needs none of them need
    not import them. Where one was imported already, as in tests, that stays itself.
    """
    if _StandInFinder not in sys.meta_path:
        first = installed and not LIBRARIES & sys.modules.keys()
        sys.meta_path.insert(0 if first else len(sys.meta_path), _StandInFinder)


class _Name:
    """A name from a missing library, for type annotations and constants; its use is refused."""

    def __init__(self, library: str) -> None:
        self._library = library

    def __getattr__(self, name: str) -> _Name:
        return _named(self._library, name)

    def __getitem__(self, _key: object) -> _Name:
        return self

    def __call__(self, *_args: object, **_options: object) -> _Name:
        return self


def _refuse(self: _Name, *_others: object) -> NoReturn:
    raise MissingExtraError.for_library(vars(self)["_library"], "run", "this command")


for _use in _USES:
    setattr(_Name, f"__{_use}__", _refuse)


def _named(library: str, name: str) -> _Name:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Name(library)


class _Module(ModuleType):
    """A module of a missing library."""

    def __getattr__(self, name: str) -> _Name:
        return _named(self.__name__.partition(".")[0], name)


class _StandInFinder:
    """Finds the modules of missing libraries."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        known = name.partition(".")[0] in LIBRARIES
        return ModuleSpec(name, _StandInFinder, is_package=True) if known else None  # type: ignore[arg-type]  # a class that loads

    @staticmethod
    def create_module(spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    @staticmethod
    def exec_module(_module: ModuleType) -> None:
        """There is nothing in it."""
