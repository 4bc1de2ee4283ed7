"""Whatever a person or a model writes is understood or left alone; no parser fails."""

from hypothesis import given
from hypothesis import strategies as st

from adapters.replies import close_fence, split
from adapters.web.markdown import render, render_line
from bot.commands import parse_command
from bot.difficulty import Estimate
from bot.difficulty.judge import read_judgement
from bot.errors import BotError, CatalogError, PromptError
from bot.model_file import parse_catalog
from bot.settings import SETTINGS, parse_setting
from bot.settings_file import parse_settings_file
from bot.strategies.critique import MAX_OBJECTIONS, parse_critique
from bot.strategies.vote import short_answer
from bot.tags import parse_tags
from tests.fuzz import anything


@given(anything.text)
def test_tags_are_taken_or_left(text: str) -> None:
    tagged = parse_tags(text, ("haiku", "gpt"))
    assert len(tagged.prompt) <= len(text)


@given(anything.text)
def test_a_line_is_a_command_or_none_or_refused_in_words(text: str) -> None:
    try:
        parse_command(text)
    except PromptError as error:
        assert str(error)


@given(st.sampled_from(sorted(SETTINGS)), anything.text)
def test_a_setting_takes_a_value_or_says_what_it_takes(name: str, text: str) -> None:
    try:
        parse_setting(name, text)
    except PromptError as error:
        assert str(error)


@given(anything.text)
def test_a_settings_file_is_read_or_refused_in_words(text: str) -> None:
    try:
        parse_settings_file(text)
    except BotError as error:
        assert str(error)


TABLES = st.one_of(
    anything.text,
    anything.text.map(lambda text: f"[[model]]\nalias = {text}\n"),
    st.dictionaries(
        st.sampled_from(
            ["alias", "id", "tier", "context_tokens", "input_usd_per_mtok", "free_quota"]
        ),
        st.sampled_from(
            ['"haiku"', '"a/b"', '"free"', "-1", "1e400", "nan", "true", "[]", "{}", '""']
        ),
    ).map(lambda values: "[[model]]\n" + "\n".join(f"{k} = {v}" for k, v in values.items())),
)


@given(TABLES)
def test_a_catalogue_is_read_or_refused_with_its_faults(text: str) -> None:
    try:
        parse_catalog(text, {}, source="models.toml")
    except CatalogError as error:
        assert error.faults


@given(anything.text, st.booleans())
def test_a_critique_has_a_bounded_number_of_bounded_objections(text: str, in_json: bool) -> None:
    found = parse_critique(f'Here: {{"objections": ["{text}"]}}' if in_json else text)
    assert len(found.objections) <= MAX_OBJECTIONS


@given(anything.text)
def test_a_short_answer_is_taken_from_any_text(text: str) -> None:
    assert isinstance(short_answer(text), str)


@given(anything.text)
def test_a_judge_s_word_is_heard_or_not(text: str) -> None:
    local = Estimate(p_free=0.1, p_cheap=0.2, p_full=0.3, reasons=(), version="test")
    found = read_judgement(text, local)
    assert found is None or 0 <= found.p_free <= found.p_cheap <= found.p_full <= 1


@given(anything.text)
def test_what_a_model_writes_stays_text_on_the_page(text: str) -> None:
    html = "".join(render(text)) + render_line(text)
    assert "<script" not in html.lower()
    assert 'href="javascript:' not in html.lower()
    assert 'href="data:' not in html.lower()


@given(anything.text, st.integers(min_value=40, max_value=400))
def test_a_long_answer_is_cut_into_pieces_that_fit(text: str, limit: int) -> None:
    assert all(len(piece) <= limit for piece in split(text, limit))
    close_fence(text)
