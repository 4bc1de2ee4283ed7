"""What holds for every test: no network, no keys, no data folder but the test's own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import loopback_only

loopback_only.install()

# A property says what comes out, not how soon: on a busy machine one example may take its time.
settings.register_profile("unhurried", deadline=None)
if settings.get_current_profile_name() == "default":
    settings.load_profile("unhurried")

# Before anything is imported that reads them: LiteLLM asks the network for prices otherwise.
OFFLINE = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_OFFLINE_MODE": "true",
    "HF_HUB_OFFLINE": "1",
}
# Guards the Python processes that tests start, as `loopback_only.install` guards this one.
CHILD_GUARD = {"PYTHONPATH": str(Path(__file__).parent / "child_guard")}
SECRET_ENDINGS = ("_API_KEY", "_API_BASE", "_TOKEN", "_SECRET", "_PROXY")
OURS = ("PARLEY_", "DISCORD_", "SLACK_", "LITELLM_", "DATABASE_URL", "POSTGRES_", "PGHOST")


def scrub(environment: dict[str, str]) -> dict[str, str]:
    """What a test may see of an environment: nothing that is a secret or configures Parley."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.upper().endswith(SECRET_ENDINGS) and not name.startswith(OURS)
    }
    return kept | OFFLINE | CHILD_GUARD


_clean = scrub(dict(os.environ))
os.environ.clear()
os.environ.update(_clean)


@pytest.fixture(autouse=True)
def _data_folder_of_its_own(tmp_path: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARLEY_HOME", str(tmp_path / "home"))
        yield


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    """Fail a test that asked for the network, even where a library swallowed the refusal."""
    loopback_only.refused.clear()
    yield
    asked_for, loopback_only.refused[:] = list(loopback_only.refused), []
    assert not asked_for, f"no test reaches the network; this one asked for {asked_for}"
