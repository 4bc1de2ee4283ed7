"""The real program as a process that can be killed and started again."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.loopback.providers import ProviderServer
from tests.waiting import until

MODELS = ("chaos-1", "chaos-2")
USD_PER_MTOK = (1, 5)
_START_LIMIT_S = 60.0
_STOP_LIMIT_S = 60.0
_ADDRESS = re.compile(r"Parley is at (http://\S+)")
_MODEL = """
[[model]]
alias = "{name}"
id = "openai/{name}"
tier = "cheap"
context_tokens = 100_000
max_output_tokens = 1_000
input_usd_per_mtok = {prices[0]}
output_usd_per_mtok = {prices[1]}
api_base = "{base}"
"""


class Program:
    """`parley up`, through as many lives as it takes."""

    def __init__(
        self,
        folder: Path,
        database: str,
        provider: ProviderServer,
        name: str,
        *,
        cap_usd: str = "1000",
        more: Mapping[str, str] | None = None,
    ) -> None:
        """`more` is set in its environment besides, and before what is set here."""
        folder.mkdir(parents=True, exist_ok=True)
        models = folder / "models.toml"
        models.write_text(
            "".join(
                _MODEL.format(name=name, prices=USD_PER_MTOK, base=provider.base("openai"))
                for name in MODELS
            ),
            encoding="utf-8",
        )
        self._environment = {
            **os.environ,
            "PARLEY_HOME": str(folder),
            "PARLEY_MODELS": str(models),
            "PARLEY_LOCAL": "off",
            "PARLEY_PORT": "0",
            "PARLEY_MONTHLY_CAP_USD": cap_usd,
            "PARLEY_LOG_LEVEL": "INFO",
            "OPENAI_API_KEY": "k",
            "DATABASE_URL": database,
            **(more or {}),
        }
        self._process: asyncio.subprocess.Process | None = None
        self.log = folder / f"{name}.log"
        self.lives = 0
        self.address = ""

    @property
    def is_alive(self) -> bool:
        """Whether it can be spoken to."""
        return bool(self.address)

    @property
    def pid(self) -> int:
        """Its process, while it runs."""
        assert self._process is not None
        return self._process.pid

    async def start(self, *options: str, is_awaited: bool = True) -> None:
        """Start it with the options of `up`, and wait until its page is there."""
        self.lives += 1
        start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "adapters.main", "up", *options),
                env=self._environment,
                stderr=log,
            )
        if is_awaited:
            await until(lambda: self._find_address(start), limit_s=_START_LIMIT_S)

    def _find_address(self, start: int) -> bool:
        found = _ADDRESS.search(self.log.read_bytes()[start:].decode("utf-8", "replace"))
        self.address = found[1] if found else ""
        return self.is_alive

    async def kill(self) -> None:
        """End it as a power cut does."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to end; returns its exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        self.address = ""
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        async with asyncio.timeout(_STOP_LIMIT_S):
            return await process.wait()
