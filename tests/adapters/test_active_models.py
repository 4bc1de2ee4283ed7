"""What the keys switch on, and which key would switch on the rest."""

from pathlib import Path

from adapters.active_models import choose_models
from adapters.settings import load_settings
from bot.catalog import Catalog
from tests.fakes import model

LISTED = Catalog(
    (
        model("haiku", provider="anthropic"),
        model("flash", provider="gemini"),
        model("own", api_key_env="OWN_KEY"),
        model("local", api_key_env=""),
    )
)


def test_what_has_its_key_or_needs_none_is_active_and_the_rest_names_its_key(
    tmp_path: Path,
) -> None:
    env = tmp_path / ".env"
    env.write_text("GEMINI_API_KEY=s3cret\n")
    active = choose_models(LISTED, load_settings(env)).active
    assert active.aliases() == ("flash", "local")
    assert active.missing_keys() == {"haiku": "ANTHROPIC_API_KEY", "own": "OWN_KEY"}
