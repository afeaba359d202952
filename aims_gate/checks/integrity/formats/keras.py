"""Keras 3: the classes that a saved configuration would have built."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aims_gate.checks.integrity.formats.kinds import FoundFormat, code, data, unknown

_MODULES = re.compile(
    r"keras"
    r"|keras\.(activations|constraints|dtype_policies|initializers|layers|losses|metrics|models"
    r"|optimizers(\.schedules)?|ops|quantizers|random|regularizers)"
    r"|keras\.src\.(activations|constraints|dtype_policies|initializers|layers|losses|metrics"
    r"|models|optimizers|ops|quantizers|random|regularizers)(\.\w+)*"
)
_CODE = frozenset(
    {"Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
)
"""Keras' own classes that hold code of others."""
_SPECIAL = frozenset(
    {"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"}
)


def keras(config: Any) -> FoundFormat:
    """Judge a configuration by the classes that it names."""
    for named in _named(config):
        name = str(named["class_name"])
        if name in _CODE:
            return code(f"Keras with {name}")
        if not _known(named, name):
            module = named.get("module") or named.get("registered_name")
            return unknown(f"Keras with the class {name[:80]!a} of {str(module)[:80]!a}")
    return data("Keras")


def _named(config: Any) -> Iterator[Mapping[str, Any]]:
    open_ = [config]
    while open_:
        node = open_.pop()
        if isinstance(node, list):
            open_ += node
        elif isinstance(node, dict):
            open_ += node.values()
            if "class_name" in node:
                yield node


def _known(named: Mapping[str, Any], name: str) -> bool:
    if name in _SPECIAL:
        return True
    module, registered = named.get("module"), named.get("registered_name")
    if ">" in f"{name}{registered or ''}":  # a class that was registered, by whoever made it
        return False
    if name == "function":
        return isinstance(module, str) and _MODULES.fullmatch(module) is not None
    ours = module is None or (isinstance(module, str) and _MODULES.fullmatch(module) is not None)
    return ours and name[:1].isupper()
