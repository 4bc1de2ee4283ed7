"""Guards every Python that a test starts; this folder is on their PYTHONPATH."""

import importlib.util
import sys
from pathlib import Path

_NAME = "tests.loopback_only"
_spec = importlib.util.spec_from_file_location(
    _NAME, Path(__file__).parents[1] / "loopback_only.py"
)
assert _spec is not None
assert _spec.loader is not None
_guard = importlib.util.module_from_spec(_spec)
sys.modules[_NAME] = _guard  # a worker of pytest is such a process, and imports it as this
_spec.loader.exec_module(_guard)
_guard.install()
