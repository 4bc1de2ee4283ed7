"""The environment is read once, whole, and its faults are told together."""

import re
from pathlib import Path

import pytest

from adapters.settings import AppSettings, load_settings, made_home
from bot.caps import Period
from bot.errors import ConfigurationError
from bot.money import NANOUSD

ROOT = Path(__file__).parents[2]


def test_env_example_names_every_setting_and_no_other() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))
    assert named == {name.upper() for name in AppSettings.model_fields}


def test_env_example_is_a_valid_configuration() -> None:
    settings = load_settings(ROOT / ".env.example")
    assert settings.instance_caps == {Period.MONTH: 20 * NANOUSD}
    assert settings.most_spent == "$20 a month (PARLEY_MONTHLY_CAP_USD)"


def test_the_instance_can_have_a_cap_for_each_period(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("PARLEY_DAILY_CAP_USD=1.50\nPARLEY_WEEKLY_CAP_USD=\nPARLEY_MONTHLY_CAP_USD=9\n")
    settings = load_settings(env)
    assert settings.instance_caps == {Period.DAY: 3 * NANOUSD // 2, Period.MONTH: 9 * NANOUSD}
    assert settings.most_spent == (
        "$1.50 a day, $9 a month (PARLEY_DAILY_CAP_USD, PARLEY_MONTHLY_CAP_USD)"
    )


def test_reads_a_file_and_keeps_its_secrets_secret(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("GEMINI_API_KEY=s3cret\nPARLEY_PORT=9000\nparley_log_level=debug\n")
    settings = load_settings(env)
    assert settings.key_named("GEMINI_API_KEY") == "s3cret"
    assert (settings.parley_port, settings.parley_log_level) == (9000, "DEBUG")
    assert "s3cret" not in repr(settings)


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = tmp_path / ".env"
    env.write_text("PARLEY_PORT=9000\n")
    monkeypatch.setenv("PARLEY_PORT", "9001")
    assert load_settings(env).parley_port == 9001


def test_all_faults_are_told_at_once_and_without_values(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("PARLEY_PORT=99999\nPARLEY_LOCAL=maybe\nPARLEY_MONTHLY_CAP_USD=-1\n")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(env)
    for name in ("PARLEY_PORT", "PARLEY_LOCAL", "PARLEY_MONTHLY_CAP_USD"):
        assert name in str(caught.value)
    assert "maybe" not in str(caught.value)


def test_a_file_that_is_no_text_is_refused_in_words(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="could not be read"):
        load_settings(env)


def test_an_empty_value_is_no_value(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("PARLEY_PORT=\nGEMINI_API_KEY=\n")
    settings = load_settings(env)
    assert (settings.parley_port, settings.key_named("GEMINI_API_KEY")) == (8484, "")


def test_a_key_may_stand_under_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SERVERS_KEY", "abc")
    assert load_settings(ROOT / ".env.example").key_named("MY_SERVERS_KEY") == "abc"


def test_a_key_of_its_own_may_stand_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("MY_SERVERS_KEY=abc\n")
    monkeypatch.chdir(tmp_path)
    assert load_settings().key_named("MY_SERVERS_KEY") == "abc"


def test_admins_are_a_list(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("PARLEY_ADMINS=discord:1, slack:U2 ,\n")
    assert load_settings(env).admins == {"discord:1", "slack:U2"}


def test_the_data_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    made_home(AppSettings.model_validate({"parley_home": tmp_path / "new"}))
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_data_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    made_home(AppSettings.model_validate({"parley_home": tmp_path}))
    assert tmp_path.stat().st_mode & 0o777 == 0o750
