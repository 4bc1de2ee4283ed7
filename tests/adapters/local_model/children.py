"""Programs that play the demo model's process, each with one habit."""

from __future__ import annotations

import sys

from adapters.local_model.assets import Assets

NOWHERE = Assets(model_path="/nowhere/model.gguf", openmp_folder="/spare")

_PRELUDE = """
import json, os, signal, sys, time
order = json.loads(sys.stdin.readline())
def tell(stage, address="", memory_bytes=1, problem=""):
    print(json.dumps(locals()), flush=True)
def ready():
    tell("ready", "http://127.0.0.1:9")
"""


def child(habit: str) -> tuple[str, ...]:
    """A program that reads its order and then does `habit`; `tell` and `ready` report."""
    return (sys.executable, "-c", _PRELUDE + habit)


OBEDIENT = child("ready(); sys.stdin.read()")
STUBBORN = child("ready(); time.sleep(600)")
SILENT = child("time.sleep(600)")
CRASHING = child("os.kill(os.getpid(), signal.SIGSEGV)")
OLD_PROCESSOR = child("os.kill(os.getpid(), signal.SIGILL)")
NO_OPENMP = child(
    "problem = 'import: libgomp.so.1: cannot open shared object file'\n"
    "if 'LD_LIBRARY_PATH' not in os.environ: tell('failed', problem=problem); sys.exit(3)\n"
    "ready(); sys.stdin.read()"
)
BABBLING = child("print('x' * 200_000); print('{}'); print('[1]'); ready(); sys.stdin.read()")
