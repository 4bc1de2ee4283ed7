"""Tags in a prompt: `@fast`, `@cheap`, `@heavy`, `@auto`, `@model:ALIAS`, `@ALIAS`.

The last one wins and all are taken out. What stands in code, links, e-mail addresses or a
platform's own mentions is not a tag.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

from bot.catalog import Tier
from bot.errors import UnknownModelError
from bot.quotes import without_salutation

TIER_TAGS = {"fast": Tier.FREE, "cheap": Tier.CHEAP, "heavy": Tier.FULL}
AUTO_TAG = "auto"
_NONE: Mapping[str, str] = MappingProxyType({})

_TOKEN = re.compile(
    r"""
      (?P<kept>
          (?P<fence>```|~~~).*?(?:(?P=fence)|\Z)     # fenced code, also while it is still open
        | (?P<tick>`+)(?!`).+?(?<!`)(?P=tick)(?!`)   # inline code
        | <(?:[@\#!:]|https?:|mailto:)[^>]*>         # mentions and links of Discord and Slack
        | \b[a-z][a-z0-9+.-]*://\S+                  # links
        | \bwww\.\S+
        | [\w.+-]+@[\w-]+(?:\.[\w-]+)+               # e-mail addresses
      )
    | (?<![\w@./:\\-])@(?P<model>model:)?(?P<name>[a-z0-9][\w.-]*+)(?!@)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """A prompt without its tags, and what the last tag asked for."""

    prompt: str
    tier: Tier | None = None
    alias: str | None = None
    is_auto: bool = False
    """`@auto`: the router decides, whatever the thread or channel is set to."""


@dataclass(frozen=True, slots=True)
class _Tag:
    start: int
    end: int
    word: str
    is_model: bool


def parse_tags(
    text: str, aliases: Collection[str], missing_keys: Mapping[str, str] = _NONE
) -> Tagged:
    """Read and remove the tags.

    Raises UnknownModelError for an `@model:` that does not exist, and for a model that is listed
    and not switched on: `missing_keys` has the keys that would do so, by alias.
    """
    prompt, last = text, None
    while tags := list(_tags(prompt, aliases, missing_keys)):
        last = tags[-1] if last is None else last
        prompt = _without(prompt, tags)
    prompt = prompt.strip()
    if last is None:
        return Tagged(prompt=prompt)
    prompt = without_salutation(prompt)
    if last.is_model:
        return Tagged(prompt=prompt, alias=last.word)
    return Tagged(prompt=prompt, tier=TIER_TAGS.get(last.word), is_auto=last.word == AUTO_TAG)


def without_tags(text: str, aliases: Collection[str]) -> str:
    """An earlier prompt as a model read it. What no longer names a model stays."""
    lowered = text.lower()
    words = (*TIER_TAGS, AUTO_TAG, "model:", *aliases)
    if "@" not in text or not any(f"@{word}" in lowered for word in words):
        return text
    try:
        return parse_tags(text, aliases).prompt
    except UnknownModelError:
        return text


def with_tag(prompt: str, tag: str) -> str:
    """The prompt with a tag that counts more than those within it, as an option beside it does.

    It stands at both ends: the last one wins, but behind a fence that stays open none is read.
    """
    if not tag:
        return prompt
    both = f"{tag} {prompt}\n{tag}"
    is_read = any(found["name"] and found.end() == len(both) for found in _TOKEN.finditer(both))
    return both if is_read else f"{tag} {prompt}"


def _tags(text: str, aliases: Collection[str], missing_keys: Mapping[str, str]) -> Iterator[_Tag]:
    if "@" not in text:
        return
    for match in _TOKEN.finditer(text):
        name = match["name"]
        if name is None:
            continue
        word = name.rstrip(".-_").lower()
        end = match.start("name") + len(word)
        if word not in aliases and (match["model"] or word in missing_keys):
            raise UnknownModelError(unknown_model(word, aliases, missing_keys))
        if match["model"]:
            yield _Tag(match.start(), end, word, is_model=True)
        elif word in TIER_TAGS or word == AUTO_TAG:
            yield _Tag(match.start(), end, word, is_model=False)
        elif word in aliases:
            yield _Tag(match.start(), end, word, is_model=True)


def _without(text: str, tags: list[_Tag]) -> str:
    parts, position = [], 0
    for tag in tags:
        before = text[position : tag.start]
        position = tag.end
        follows_space = not before or before[-1].isspace()
        if follows_space and text[position : position + 1] in (" ", "\t"):
            position += 1
        parts.append(before)
    parts.append(text[position:])
    return "".join(parts)


def unknown_model(
    word: str, aliases: Collection[str], missing_keys: Mapping[str, str] = _NONE
) -> str:
    """What to say to the name of a model that can't be asked, with the nearest that can."""
    near = get_close_matches(word, aliases, n=1)
    hint = f" Did you mean `@{near[0]}`?" if near else ""
    known = ", ".join(f"`@{alias}`" for alias in sorted(aliases)) or "none"
    if word in missing_keys:
        what = f"`{word}` is not switched on: its key, {missing_keys[word]}, is missing."
    else:
        what = f"There is no model `{word}`.{hint}"
    return f"{what} Switched on here: {known}. Nothing was spent."
