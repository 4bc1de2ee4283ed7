"""Settings leave and come back as one file; a faulty one changes nothing and names every fault."""

import json

import pytest

from bot.errors import SettingError
from bot.settings_file import VERSION, parse_settings_file, to_settings_file

PLACES = {"slack/T1": {"footer": "off", "dial": "7"}, "discord/1/2/3": {"system_prompt": "Grüß"}}


def test_what_is_written_is_read_again() -> None:
    assert parse_settings_file(to_settings_file(PLACES)) == PLACES
    assert parse_settings_file(to_settings_file({})) == {}


def test_the_file_is_the_same_whatever_the_order() -> None:
    backwards = {place: dict(reversed(values.items())) for place, values in PLACES.items()}
    assert to_settings_file(dict(reversed(backwards.items()))) == to_settings_file(PLACES)


def test_a_file_of_a_newer_version_is_refused() -> None:
    newer = json.dumps({"parley_settings": VERSION + 1, "places": {}, "else": []})
    with pytest.raises(SettingError, match=r"newer Parley.*Update Parley"):
        parse_settings_file(newer)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "dial = 7", '{"parley_settings": "1"}', '{"parley_settings": 1}']
)
def test_what_is_no_settings_file_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="settings file"):
        parse_settings_file(text)


def test_every_fault_is_told_at_once() -> None:
    places = {"slack": {}, "slack/T1": {"dial": "11", "colour": "red", "footer": 7}, "a/b": []}
    with pytest.raises(SettingError) as raised:
        parse_settings_file(json.dumps({"parley_settings": 1, "places": places}))
    told = str(raised.value)
    for part in ("'slack' is no place", "`dial` takes", "'colour'", "`footer` must be", "a/b: "):
        assert part in told
