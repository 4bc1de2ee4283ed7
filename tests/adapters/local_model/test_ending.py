from __future__ import annotations

import signal

import pytest

from adapters.local_model.child import EXIT_REFUSED
from adapters.local_model.ending import Ending, explain


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        (Ending(code=-signal.SIGILL), "AVX2"),
        (Ending(code=-signal.SIGKILL), "300 MB"),
        (Ending(code=-signal.SIGSEGV), "keeps ending"),
        (Ending(code=EXIT_REFUSED, problem="damaged"), "file is damaged"),
        (Ending(code=EXIT_REFUSED, problem="import: libgomp.so.1: no such file"), "libgomp1"),
        (Ending(code=EXIT_REFUSED, problem="import: GLIBC_2.35 not found"), "does not fit"),
        (Ending(code=EXIT_REFUSED, problem="engine: Failed to init"), "could not be loaded"),
        (Ending(code=-signal.SIGKILL, problem="timeout"), "too long"),
    ],
)
def test_says_what_happened_and_what_to_do(ending: Ending, told: str) -> None:
    assert told in explain(ending)
    assert "set a provider's key" in explain(ending)


@pytest.mark.parametrize(
    ("ending", "may_restart"),
    [
        (Ending(code=-signal.SIGKILL), True),
        (Ending(code=-signal.SIGSEGV), True),
        (Ending(code=0), True),
        (Ending(code=-signal.SIGILL), False),
        (Ending(code=EXIT_REFUSED, problem="damaged"), False),
        (Ending(code=-signal.SIGKILL, problem="timeout"), False),
    ],
)
def test_is_started_again_only_where_that_can_help(ending: Ending, may_restart: bool) -> None:
    assert ending.may_restart is may_restart
