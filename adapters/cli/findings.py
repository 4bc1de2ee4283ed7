"""What `parley doctor` can see without asking a platform or a provider for anything."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

import aiohttp

from adapters.llm import PriceTable
from adapters.settings import AppSettings
from bot.catalog import ModelSpec

LITTLE_BYTES, NO_BYTES = 1_000_000_000, 100_000_000
SHORTEST_TOKEN = 24
RETIRES_SOON = timedelta(days=60)
MOST_SKEW_S = 30.0
ASK_WITHIN_S = 5.0


class Verdict(StrEnum):
    """How a check came out."""

    OK = "ok"
    HINT = "hint"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, how it is, what to do."""

    what: str
    verdict: Verdict
    says: str
    remedy: str = ""


def retirements(models: Iterable[ModelSpec], table: PriceTable, today: date) -> Iterator[Finding]:
    """The active models that their providers switch off soon, or have."""
    for model in models:
        day = table.retires_on(model.model_id)
        if day is None or day > today + RETIRES_SOON:
            continue
        is_gone = day <= today
        yield Finding(
            model.alias,
            Verdict.FAULT if is_gone else Verdict.HINT,
            f"its provider {'switched' if is_gone else 'will switch'} {model.model_id} off "
            f"on {day.isoformat()}",
            "Put its successor into a models.toml of your own (PARLEY_MODELS), or update Parley.",
        )


def folder(home: Path) -> Finding:
    """Whether the data folder can be written to, and by its owner alone be read."""
    what = "data folder"
    if not home.is_dir():
        return Finding(what, Verdict.HINT, f"{home} is not there yet; the first start makes it")
    files = [home, *home.glob("parley.db*")]
    if fixed := [path.name for path in files if not os.access(path, os.W_OK)]:
        remedy = "Give them to the user that runs Parley: chown."
        return Finding(what, Verdict.FAULT, f"{', '.join(fixed)} can't be written to", remedy)
    return _private(what, home, f"{home} can be written to")


def env_file(path: Path) -> Iterator[Finding]:
    """Whether others on this machine can read the keys."""
    if path.is_file():
        yield _private(".env", path, "only its owner reads it")


def _private(what: str, path: Path, says: str) -> Finding:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding(
            what, Verdict.HINT, f"others on this machine may look into {path}",
            f"Unless you mean them to: chmod go-rwx {path}",
        )  # fmt: skip
    return Finding(what, Verdict.OK, says)


def disk(home: Path) -> Finding:
    """Whether there is room for the database to grow."""
    there = next(path for path in (home, *home.resolve().parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    says = f"{free / 1e9:.1f} GB are free"
    if free >= LITTLE_BYTES:
        return Finding("disk", Verdict.OK, says)
    verdict = Verdict.FAULT if free < NO_BYTES else Verdict.HINT
    return Finding("disk", verdict, says, "Make room: without it nothing can be kept or answered.")


def port(host: str, number: int) -> Finding:
    """Whether the page can be served where it should be."""
    what, address = "web address", f"{host}:{number}"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, number), family=family).close()
    except OSError as error:
        is_taken = error.errno == errno.EADDRINUSE
        return Finding(
            what,
            Verdict.HINT if is_taken else Verdict.FAULT,
            f"{address}: {error.strerror}",
            "If Parley runs already, that is it; else set PARLEY_PORT."
            if is_taken
            else "Set PARLEY_HOST to an address of this machine, and PARLEY_PORT above 1024.",
        )
    return Finding(what, Verdict.OK, f"{address} is free")


def tokens(settings: AppSettings) -> Iterator[Finding]:
    """Whether what guards the port can be guessed."""
    remedy = "`openssl rand -hex 32` makes a good one."
    web = settings.parley_web_token.get_secret_value()
    if not _is_loopback(settings.parley_host) and not web:
        yield Finding(
            "PARLEY_WEB_TOKEN", Verdict.FAULT, f"{settings.parley_host} is open to others without "
            "a token, so `parley up` serves no page there", remedy,
        )  # fmt: skip
    for name, value in (
        ("PARLEY_WEB_TOKEN", web),
        ("PARLEY_METRICS_TOKEN", settings.parley_metrics_token.get_secret_value()),
    ):
        if value and len(value) < SHORTEST_TOKEN:
            yield Finding(name, Verdict.HINT, "it is short, so it may be guessed", remedy)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


async def clock(addresses: Iterable[str]) -> tuple[Finding, ...]:
    """Compare this machine's clock with the first server that says its own."""
    timeout = aiohttp.ClientTimeout(total=ASK_WITHIN_S)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
        for address in addresses:
            try:
                async with session.head(address) as response:
                    said = response.headers.get("date", "")
            except (aiohttp.ClientError, TimeoutError, ValueError):
                continue
            if finding := compare(said, datetime.now(UTC)):
                return (finding,)
    return ()


def compare(said: str, now: datetime) -> Finding | None:
    """How far our clock is from a server's; None when it says nothing that can be read."""
    try:
        theirs = parsedate_to_datetime(said)
    except ValueError:
        return None
    skew_s = (now - theirs.replace(tzinfo=theirs.tzinfo or UTC)).total_seconds()
    if abs(skew_s) <= MOST_SKEW_S:
        return Finding("clock", Verdict.OK, "it agrees with the others'")
    return Finding(
        "clock", Verdict.FAULT,
        f"it is {abs(skew_s):,.0f} s {'ahead of' if skew_s > 0 else 'behind'} the others'",
        "Switch time synchronisation on: platforms refuse what comes from the wrong time.",
    )  # fmt: skip
