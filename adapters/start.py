"""The console script: imports the program so that Ctrl-C by then ends it quietly, too."""

from __future__ import annotations

import os


def main() -> None:
    """Import the program, which takes a moment, and run it."""
    try:
        from adapters.main import main as run
    except KeyboardInterrupt:
        os._exit(130)
    run()
