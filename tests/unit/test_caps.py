"""Every scope that people can cap has a cap for every period, and a setting for each."""

from dataclasses import fields

from bot.caps import CAPS, USUAL_PERIODS, Caps, CapSpec, Period, Scope


def test_each_cap_is_a_field_and_each_field_a_cap() -> None:
    assert list(CAPS) == [field.name for field in fields(Caps)]


def test_all_but_the_instance_are_capped_by_day_week_and_month() -> None:
    found = {(spec.scope, spec.period) for spec in CAPS.values()}
    assert found == {(s, p) for s in Scope if s is not Scope.INSTANCE for p in Period}


def test_a_cap_is_named_for_whose_it_is_and_how_often() -> None:
    spec = CapSpec(scope=Scope.USER, period=Period.WEEK)
    assert (spec.name, spec.about) == ("user_weekly_cap", "each person, each week")
    assert spec.of(Caps(user_weekly_cap=7)) == 7


def test_a_cap_is_set_where_it_counts() -> None:
    assert {spec.scope: spec.place for spec in CAPS.values()} == {
        Scope.USER: "workspace",
        Scope.CHANNEL: "channel",
        Scope.WORKSPACE: "workspace",
    }


def test_what_could_be_set_before_there_were_periods_is_usual() -> None:
    usual = [CapSpec(scope=s, period=p).name for s, p in USUAL_PERIODS.items()]
    assert usual == ["user_daily_cap", "channel_monthly_cap", "workspace_monthly_cap"]
