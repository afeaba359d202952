"""A model that knows one column, and has no answer where it is 0."""

from typing import Any


class _Model:
    def predict(self, rows: Any) -> Any:
        """Answer with the column, or with NaN."""
        return rows["p"].where(rows["p"] > 0)


def _load_pyfunc(_path: str) -> _Model:
    return _Model()
