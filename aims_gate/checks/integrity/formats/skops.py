"""skops: the types in its schema, against an allow list, and how each is rebuilt.

skops imports what a schema names and calls only trusted types; but MLflow reads the list of
trusted types from the model's own MLmodel. So the types are compared with an allow list of ours:
containers, NumPy, SciPy's sparse matrices, scikit-learn's estimators, and the boosters that MLflow
keeps in skops.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from aims_gate.checks.integrity.formats.kinds import FoundFormat, data, unknown

_PLAIN = re.compile(
    r"builtins\.(bool|bytearray|bytes|complex|dict|float|frozenset|int|list|map|NoneType|range|set"
    r"|slice|str|tuple)"
    r"|collections\.(OrderedDict|defaultdict)"
)
_NUMPY = re.compile(r"numpy\.(dtype|dtypes\.\w+|ma(\.core)?\.MaskedArray|random\.(\w+\.)?[A-Z]\w+)")
_SPARSE = re.compile(r"scipy\.sparse\.(_\w+\.)?\w+_(matrix|array)")
_ESTIMATORS = re.compile(
    r"sklearn(\.(?!externals\.|datasets\.|utils\._testing)\w+)+"
    r"|lightgbm\.(sklearn\.LGBM\w+|basic\.Booster)"
    r"|xgboost\.(sklearn\.XGB\w+|core\.Booster)"
)
_SCORING = re.compile(
    r"sklearn\.feature_selection\._(univariate_selection|mutual_info)"
    r"\.(chi2|f_classif|f_oneway|f_regression|r_regression|mutual_info_\w+)"
)
_UFUNC = re.compile(r"(numpy|scipy\.special)\.(\w+)")
_VALUES = frozenset(
    {
        "BytearrayNode",
        "BytesNode",
        "DefaultDictNode",
        "DictNode",
        "DTypeNode",
        "JsonNode",
        "ListNode",
        "MaskedArrayNode",
        "NdArrayNode",
        "RandomGeneratorNode",
        "RandomStateNode",
        "SetNode",
        "SliceNode",
        "SparseMatrixNode",
        "TupleNode",
    }
)
_OBJECTS = frozenset({"LossNode", "ObjectNode", "TreeNode"})


def skops(schema: Any) -> FoundFormat:
    """Judge a schema by the types that it names."""
    foreign = sorted({name for name in _named(schema) if name})
    if not foreign:
        return data("skops")
    more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
    return unknown(f"skops with {', '.join(foreign[:3])}{more}, which is not its own")


def foreign_types(trusted: Any) -> list[str]:
    """Trusted types of a loader that belong to no known library."""
    names = [] if trusted is None else trusted if isinstance(trusted, list) else [trusted]
    values = (_PLAIN, _NUMPY, _SPARSE, _ESTIMATORS, _SCORING)
    foreign = [str(n) for n in names if not _is(str(n), *values)]
    return [name[:80] for name in foreign if not (_is_scalar(name) or _is_ufunc(name))]


def _named(schema: Any) -> Iterator[str]:
    """Unknown type of each schema node; an empty name where the type is known."""
    open_ = [schema]
    while open_:
        node = open_.pop()
        if isinstance(node, list):
            open_ += node
        elif isinstance(node, dict):
            open_ += node.values()
            if {"__class__", "__module__", "__loader__"} & node.keys():
                yield _foreign(node)


def _foreign(node: Mapping[str, Any]) -> str:
    loader = str(node.get("__loader__"))
    if loader == "CachedNode":
        return ""
    name = f"{node.get('__module__')}.{node.get('__class__')}"
    return "" if _known(loader, name) else f"{name[:80]} ({loader[:40]})"


def _known(loader: str, name: str) -> bool:
    """Tell whether a loader that only builds values is given a type of the list."""
    if loader in _VALUES:
        return _is_scalar(name) or _is(name, _PLAIN, _NUMPY, _SPARSE)
    if loader in _OBJECTS:
        return _is(name, _ESTIMATORS)
    if loader == "TypeNode":
        return _is_scalar(name) or _is(name, _PLAIN)
    return loader == "FunctionNode" and (_is(name, _SCORING) or _is_ufunc(name))


def _is(name: str, *patterns: re.Pattern[str]) -> bool:
    return any(pattern.fullmatch(name) for pattern in patterns)


def _is_ufunc(name: str) -> bool:
    """Tell whether a function computes element by element, and so reads and calls nothing."""
    import scipy.special

    match = _UFUNC.fullmatch(name)
    if match is None:
        return False
    module = np if match[1] == "numpy" else scipy.special
    return isinstance(getattr(module, match[2], None), np.ufunc)


def _is_scalar(name: str) -> bool:
    module, _, kind = name.rpartition(".")
    found = getattr(np, kind, None) if module == "numpy" else None
    return isinstance(found, type) and issubclass(found, (np.generic, np.ndarray))
