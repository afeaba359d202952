"""The stages of one gate, timed from inside: start-up, read, measure, sign.

`speed_stages.py POLICY MODEL REFERENCE CURRENT KEY` prints seconds as JSON. Start-up counts from
the start of the process, the interpreter's own included; read is the model, the run and the digests
of the data (columns are read while they are measured); sign is evidence written and signed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from aims_gate.cli.lean import import_lean

import_lean()  # as the command line does, before anything else imports NumPy

from aims_gate import pipeline  # noqa: E402
from aims_gate.operations import run as gate  # noqa: E402
from aims_gate.request import Request  # noqa: E402


def main() -> None:
    """Run the gate, noting the time whenever it tells how far it is."""
    policy, model, reference, current, key = sys.argv[1:]
    marks: list[tuple[str, float]] = []

    def now() -> datetime:
        marks.append(("clock", _since_start()))
        return datetime.now(UTC)

    world = replace(
        gate.real_world(progress=lambda text: marks.append((text, _since_start()))), now=now
    )
    recording = gate.recording_of(
        key=key, unsigned=False, out=Path("evidence"), publish=False, environ=os.environ
    )
    data = {"reference": reference, "current": current}
    request = Request(policy=policy, model=model, data=gate.roles_of(data), recording=recording)
    pipeline.run(request, world)
    end = _since_start()
    read = next(at for text, at in marks if text.startswith("reading "))
    measure = next(at for text, at in marks if text.startswith("rule "))
    sign = [at for text, at in marks if text == "clock"][-1]
    stages = {
        "start-up": read,
        "read": measure - read,
        "measure": sign - measure,
        "sign": end - sign,
    }
    json.dump(stages, sys.stdout)


def _since_start() -> float:
    """Give the seconds since this process began."""
    ticks = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
