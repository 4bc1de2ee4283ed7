"""The page is told how far the start has come."""

from adapters.web import Stage, StageState, Startup


def test_it_is_ready_when_nothing_loads_any_more() -> None:
    startup = Startup("Models", "Database")
    startup.done("Database")
    assert not startup.is_ready()
    startup.failed("Models", "No model answers.")
    assert startup.is_ready()


async def test_watching_shows_each_change_and_ends_when_all_is_there() -> None:
    startup = Startup("Models")
    seen: list[tuple[Stage, ...]] = []
    async for stages in startup.watch():
        seen.append(stages)
        if stages[0].state is StageState.WAITING:
            startup.working("Models", "loading")
        else:
            startup.done("Models", "ready")
    assert [(s[0].state, s[0].detail) for s in seen] == [
        (StageState.WAITING, ""),
        (StageState.WORKING, "loading"),
        (StageState.DONE, "ready"),
    ]
