"""The real program as a process, with models on a loopback provider."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.loopback.providers import ProviderServer

PARLEY = (sys.executable, "-m", "adapters.main")
LIMIT_S = 60.0

_MODELS = """
[[model]]
alias = "small"
id = "groq/small-1"
tier = "free"
free_quota = true
context_tokens = 8_000
max_output_tokens = 1_000
input_usd_per_mtok = 0.10
output_usd_per_mtok = 0.40
api_base = "{groq}"

[[model]]
alias = "middle"
id = "openai/middle-1"
tier = "cheap"
context_tokens = 100_000
max_output_tokens = 4_000
input_usd_per_mtok = 1
output_usd_per_mtok = 5
api_base = "{openai}"

[[model]]
alias = "large"
id = "anthropic/large-1"
tier = "full"
context_tokens = 200_000
max_output_tokens = 8_000
input_usd_per_mtok = 3
output_usd_per_mtok = 15
capabilities = ["vision"]
api_base = "{anthropic}"
"""


def write_models(folder: Path, provider: ProviderServer) -> Path:
    """A catalogue of one model per tier, all served by the loopback provider."""
    path = folder / "models.toml"
    path.write_text(_MODELS.format(**provider.bases), encoding="utf-8")
    return path


def environment(folder: Path, provider: ProviderServer, **more: str) -> dict[str, str]:
    """What a user with three keys has set."""
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited,
        "PARLEY_HOME": str(folder / "data"),
        "PARLEY_MODELS": str(write_models(folder, provider)),
        "PARLEY_LOCAL": "off",
        "PARLEY_PORT": "0",
        "GROQ_API_KEY": "k1",
        "OPENAI_API_KEY": "k2",
        "ANTHROPIC_API_KEY": "k3",
        **more,
    }


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


async def run(env: Mapping[str, str], *arguments: str, stdin: str | bytes = "") -> Ended:
    """Run a command to its end."""
    process = await asyncio.create_subprocess_exec(
        *PARLEY,
        *arguments,
        env=dict(env),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate(stdin.encode() if isinstance(stdin, str) else stdin)
    return Ended(process.returncode or 0, out.decode(), err.decode())


@dataclass(slots=True)
class Up:
    """`parley up` while it runs."""

    process: asyncio.subprocess.Process
    address: str
    log: list[str]
    """What it wrote on standard error since."""

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self.process.send_signal(signal.SIGKILL)


@asynccontextmanager
async def up(env: Mapping[str, str], *options: str) -> AsyncIterator[Up]:
    """Run `parley up` until the end of the block, then stop it as an operator does."""
    process = await asyncio.create_subprocess_exec(
        *PARLEY, "up", *options, env=dict(env), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    address = ""
    async with asyncio.timeout(LIMIT_S):
        while "Parley is at " not in address:
            line = await process.stderr.readline()
            assert line, "parley up ended before it had an address"
            address = line.decode()
    log: list[str] = []
    reading = asyncio.create_task(_read(process.stderr, log))
    try:
        yield Up(process, address.split("Parley is at ")[1].strip(), log)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(LIMIT_S):
                await process.wait()
        await reading


async def _read(stream: asyncio.StreamReader, log: list[str]) -> None:
    while line := await stream.readline():
        log.append(line.decode())
