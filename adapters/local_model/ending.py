"""Why the demo model's process ended, in words a person can use. Pure."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from adapters.local_model.child import EXIT_REFUSED

_WAY_OUT = "Parley goes on without it: set a provider's key in .env, or start Ollama."

_PROBLEMS = {
    "damaged": "The demo model's file is damaged; delete the .venv folder and start again.",
    "timeout": "The demo model took too long to load.",
    "import: libgomp": "The demo model needs the system's libgomp (apt install libgomp1).",
    "import:": "The demo model's engine does not fit this system.",
    "engine:": "The demo model could not be loaded; the log says more.",
}
_SIGNALS = {
    -signal.SIGILL: "This processor is too old for the demo model, which needs AVX2.",
    -signal.SIGKILL: "The system ended the demo model; it needs about 300 MB of memory.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one run of the process ended."""

    code: int
    """Negative for a signal, as the operating system's process calls have it."""
    problem: str = ""
    """What it said itself, or `timeout`."""
    detail: str = ""
    """The end of its standard error; for the log."""

    @property
    def lacks_openmp(self) -> bool:
        """Whether the system has no OpenMP library."""
        return self.problem.startswith("import: libgomp")

    @property
    def may_restart(self) -> bool:
        """Whether another start can end otherwise."""
        hopeless = self.code in (EXIT_REFUSED, -signal.SIGILL) or self.problem == "timeout"
        return not hopeless


def explain(ending: Ending) -> str:
    """One sentence on what happened and one on what to do."""
    return f"{_what_happened(ending)} {_WAY_OUT}"


def _what_happened(ending: Ending) -> str:
    told = next((text for start, text in _PROBLEMS.items() if ending.problem.startswith(start)), "")
    return told or _SIGNALS.get(ending.code) or "The demo model keeps ending; the log says more."
