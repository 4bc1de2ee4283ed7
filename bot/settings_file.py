"""Every place's settings as one file that can be kept, changed and read again. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from bot.errors import SettingError
from bot.settings import parse_setting

VERSION = 1
_FORMAT = "parley_settings"
Places = Mapping[str, Mapping[str, str]]
"""For each place, `platform/workspace`, `…/channel` or `…/channel/thread`: what is set there."""


def to_settings_file(places: Places) -> str:
    """The file: JSON with its version, places and names in order."""
    kept = {place: dict(sorted(values.items())) for place, values in sorted(places.items())}
    return json.dumps({_FORMAT: VERSION, "places": kept}, ensure_ascii=False, indent=2) + "\n"


def parse_settings_file(text: str) -> Places:
    """What a file sets; raises SettingError with every fault, and a newer version's at once."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingError(f"This is no settings file: it is not JSON ({error}).") from error
    if not isinstance(found, dict) or not isinstance(found.get(_FORMAT), int):
        raise SettingError(f"This is no settings file: it has no `{_FORMAT}` with a version.")
    if found[_FORMAT] > VERSION:
        raise SettingError(
            f"This file was written by a newer Parley (its version is {found[_FORMAT]}, this "
            f"program reads up to {VERSION}). Update Parley. Nothing was changed."
        )
    places = found.get("places")
    if not isinstance(places, dict):
        raise SettingError("This settings file has no `places`. Nothing was changed.")
    faults = [fault for place, values in places.items() for fault in _faults(place, values)]
    if faults:
        raise SettingError("\n".join(["Nothing was changed, because of these faults:", *faults]))
    return places


def _faults(place: str, values: object) -> Iterator[str]:
    parts = place.split("/")
    if len(parts) < 2 or not all(parts[:2]):
        yield f"{place!r} is no place such as discord/123 or slack/T1/C2."
    if not isinstance(values, dict):
        yield f"{place}: what is set there is missing."
        return
    for name, value in values.items():
        if not isinstance(value, str):
            yield f'{place}: `{name}` must be text, such as "7".'
            continue
        try:
            parse_setting(name, value)
        except SettingError as error:
            yield f"{place}: {error}"
