"""Child process: loads the requested libraries, reports ready, and answers until its input ends.

`python -m aims_gate.engines.reference.server fairlearn evidently scikit-learn`
"""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

from aims_gate.engines.reference import libraries, wire


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer each question of *source* with one line on *sink*; a failure is an answer, too."""
    sink.write(wire.READY)
    sink.flush()
    while (question := wire.read_question(source)) is not None:
        number, ask, arguments = question
        try:
            library, values = libraries.ANSWERS[ask](**arguments)
            told = wire.answer(number, library, values)
        except Exception as error:  # noqa: BLE001  # the parent turns every failure into a refusal
            told = wire.failure(number, type(error).__name__, str(error)[:500])
        sink.write(told)
        sink.flush()


def main() -> None:
    """Serve on the process's own pipes; what libraries print goes to standard error."""
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for name in sys.argv[1:]:
        libraries.load(name)
    serve(sys.stdin.buffer, sink)
    os._exit(0)  # everything is said, and taking the libraries down takes as long as an answer


if __name__ == "__main__":
    main()
