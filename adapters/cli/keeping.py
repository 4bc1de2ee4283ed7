"""`parley export`, `forget` and `settings`: what is kept, given out, taken back, deleted."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from adapters.cli.program import Program
from adapters.clock import SystemClock
from adapters.settings import made_home
from bot.errors import PromptError, SettingError
from bot.messages import ConversationKey
from bot.settings import SettingChange
from bot.settings_file import parse_settings_file, to_settings_file
from bot.transcript import to_json, to_markdown
from bot.turns import Conversation
from storage import open_store

FORMATS = {"md": to_markdown, "json": to_json}
_WHO = "command line"


async def export(program: Program, name: str, *, form: str, path: str) -> int:
    """Write a conversation; without a name, list what there is."""
    if form not in FORMATS:
        raise PromptError(f"--format takes md or json, not {form!r}.")
    async with open_store(made_home(program.settings())) as store:
        known = await store.latest_conversations(10_000 if name else 100)
        if not name:
            return _list(known)
        key = _found(name, known)
        _write(FORMATS[form](key, await store.transcript(key)), path)
    return 0


async def forget(program: Program, name: str, *, user: str) -> int:
    """Delete a conversation, or all that a person wrote in a workspace."""
    if bool(name) == bool(user):
        raise PromptError("Name a conversation, or a person with --user; `parley export` lists.")
    async with open_store(made_home(program.settings())) as store:
        if user:
            await store.forget_user(*_user(user))
            sys.stdout.write(f"Forgotten: all that {user} wrote, with its answers.\n")
        else:
            key = _found(name, await store.latest_conversations(10_000))
            await store.forget(key)
            sys.stdout.write(f"Forgotten: {key}.\n")
    sys.stdout.write("What it cost stays in the ledger, without a word of it.\n")
    return 0


async def export_settings(program: Program, path: str) -> int:
    """Write every place's settings as one file."""
    async with open_store(made_home(program.settings())) as store:
        _write(to_settings_file(await store.all_settings()), path)
    return 0


async def import_settings(program: Program, path: str, *, is_whole: bool) -> int:
    """Set what a file says, all or nothing; with `is_whole` nothing else stays set."""
    places = parse_settings_file(_read(path))
    async with open_store(made_home(program.settings())) as store:
        changes = _changes(await store.all_settings(), places, is_whole=is_whole)
        await store.set_settings(changes)
    sys.stdout.write(f"{len(changes)} settings changed.\n")
    return 0


def _changes(
    now: Mapping[str, Mapping[str, str]],
    wanted: Mapping[str, Mapping[str, str]],
    *,
    is_whole: bool,
) -> list[SettingChange]:
    """What is to be changed, and nothing that is so already."""
    pairs = {
        (place, name): value for place, values in wanted.items() for name, value in values.items()
    }
    kept = {(place, name): value for place, values in now.items() for name, value in values.items()}
    gone = [pair for pair in kept if is_whole and pair not in pairs]
    new = [pair for pair, value in pairs.items() if kept.get(pair) != value]
    at = SystemClock().now()
    return [
        SettingChange(
            scope_id=place, name=name, after=pairs.get((place, name)), user_id=_WHO, at=at
        )
        for place, name in (*gone, *new)
    ]


def _list(known: tuple[Conversation, ...]) -> int:
    if not known:
        sys.stderr.write("Nothing was asked yet.\n")
    for conversation in known:
        at = f"{conversation.updated_at:%Y-%m-%d %H:%M}"
        sys.stdout.write(f"{conversation.key}  {at}  {conversation.title}\n")
    return 0


def _found(name: str, known: tuple[Conversation, ...]) -> ConversationKey:
    """The conversation of that id, or whose id ends so."""
    found = [c.key for c in known if str(c.key) == name or c.key.thread_id == name]
    if len(found) != 1:
        what = "more than one conversation" if found else "no conversation"
        raise PromptError(f"There is {what} {name!r}. `parley export` lists them.")
    return found[0]


def _user(text: str) -> tuple[str, str, str]:
    parts = text.split("/")
    if len(parts) != 3 or not all(parts):
        raise PromptError("--user takes platform/workspace/user, such as discord/123/456.")
    return parts[0], parts[1], parts[2]


def _read(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingError(f"{path} can't be read: it is not text.") from error
    except OSError as error:
        raise SettingError(f"{path} can't be read: {error.strerror}.") from error


def _write(text: str, path: str) -> None:
    if not path:
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise PromptError(f"{path} can't be written: {error.strerror}.") from error
