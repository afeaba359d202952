"""Evidence that is not authentic is refused with exit code 4."""

from __future__ import annotations

from typing import Any

import pytest

from aims_gate.errors import TrustError
from tests.support.proofs import (
    Lab,
)


def refuses(lab: Lab, match: str, **how: Any) -> None:
    with pytest.raises(TrustError, match=match) as caught:
        lab.verify(**how)
    assert caught.value.exit_code == 4
