"""Whatever a platform, a provider or a browser sends gives a value or a sentence, never a fault."""

import asyncio
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import discord
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord import inbound as discord_inbound
from adapters.ledger_csv import PlaceNames, to_row
from adapters.llm.reading import Patience, Reading
from adapters.settings import load_settings
from adapters.slack import inbound as slack_inbound
from adapters.slack.presses import to_press
from adapters.web.uploads import read_uploads
from bot.attachments import with_picture, with_words
from bot.calls import ModelCall, Purpose
from bot.errors import ConfigurationError, GatewayError, PromptError
from bot.image_headers import read_picture
from bot.messages import Attachment
from tests.adapters.test_metrics import ENTRY
from tests.fakes import model
from tests.fuzz import anything

IDS = st.integers(min_value=1, max_value=2**63 - 1).map(str)
NAMES = anything.text.map(lambda text: text[:200])


def _user(user_id: str, name: str) -> dict[str, Any]:
    return {"id": user_id, "username": name, "discriminator": "0", "avatar": None}


DISCORD_FILES = st.fixed_dictionaries(
    {"id": IDS, "filename": NAMES, "size": st.integers(0, 2**40), "url": NAMES, "proxy_url": NAMES},
    optional={"content_type": NAMES},
)


@given(anything.text, IDS, NAMES, st.lists(DISCORD_FILES, max_size=3), st.booleans())
def test_a_discord_message_is_understood(
    text: str, author_id: str, name: str, files: list[dict[str, Any]], names_us: bool
) -> None:
    client = discord.Client(intents=discord.Intents.none())
    me = discord.User(state=client._connection, data=_user("1", "Parley"))  # type: ignore[arg-type]  # a plain dict
    mentions = [_user("1", "Parley")] if names_us else [_user(author_id, name)]
    data: Any = {
        "id": "5", "channel_id": "6", "type": 0, "content": text, "attachments": files,
        "author": _user(author_id, name), "mentions": mentions, "embeds": [], "pinned": False,
        "mention_everyone": False, "tts": False, "timestamp": "2026-11-23T12:00:00+00:00",
        "edited_timestamp": None,
        "mention_roles": [],
    }  # fmt: skip
    place: Any = {"id": "6", "type": 1, "recipients": [_user(author_id, name)]}
    channel = discord.DMChannel(me=me, state=client._connection, data=place)  # type: ignore[arg-type]  # a user does
    message = discord.Message(state=client._connection, channel=channel, data=data)
    key = discord_inbound.to_key(message)
    heard = discord_inbound.to_heard(message, me, takes_part=False)
    incoming = discord_inbound.to_incoming(
        message, me, key=key, anchor={}, is_addressed=discord_inbound.is_addressed(heard)
    )
    assert incoming.author_id == author_id
    assert len(incoming.attachments) == len(files)


SLACK_TEXTS = st.one_of(anything.text, st.none())
SLACK_EVENTS = st.fixed_dictionaries(
    {
        "user": NAMES.filter(bool),
        "ts": st.floats(0, 4e9).map(lambda at: f"{at:.6f}"),
        "channel": NAMES.filter(bool),
    },
    optional={
        "text": SLACK_TEXTS,
        "type": NAMES,
        "subtype": st.one_of(NAMES, st.none()),
        "channel_type": NAMES,
        "thread_ts": NAMES,
        "files": st.lists(
            st.fixed_dictionaries(
                {"id": NAMES},
                optional={
                    "name": SLACK_TEXTS,
                    "mimetype": SLACK_TEXTS,
                    "size": st.one_of(st.integers(0, 2**40), st.none()),
                    "url_private": SLACK_TEXTS,
                },
            ),
            max_size=3,
        ),
        "blocks": anything.json,
    },
)


@given(SLACK_EVENTS)
def test_a_slack_event_is_understood(event: dict[str, Any]) -> None:
    slack_inbound.is_from_person(event)
    heard = slack_inbound.to_heard(event, "UB")
    incoming = slack_inbound.to_incoming(
        event,
        team_id="T1",
        bot_user_id="UB",
        names={},
        is_addressed=heard.is_addressed(takes_part=True),
    )
    assert incoming.author_id == event["user"]


@given(NAMES, NAMES, anything.shape(channel_id=NAMES, message_ts=NAMES))
def test_a_slack_button_is_ours_or_refused(name: str, value: str, container: Any) -> None:
    body = {"user": {"id": "U1"}, "container": container}
    try:
        press = to_press(body, {"action_id": f"parley_{name}", "value": value})
    except ValueError:  # an action that we never made; the edge says so and logs it
        return
    assert press.user_id == "U1"


USAGE = st.one_of(
    st.none(),
    anything.shape(
        prompt_tokens=anything.json,
        completion_tokens=anything.json,
        prompt_tokens_details=anything.json,
        cost=anything.json,
    ),
)
CHUNKS = st.lists(
    anything.shape(text=anything.text, is_finished=st.booleans(), usage=USAGE, finish_reason=NAMES),
    max_size=6,
)


@given(CHUNKS)
def test_a_provider_s_stream_is_read_or_is_a_gateway_s_error(chunks: list[dict[str, Any]]) -> None:
    call = ModelCall(
        call_id="t:a", purpose=Purpose.ANSWER, model=model("m"), messages=(), max_output_tokens=9
    )

    async def read() -> None:
        shown: list[str] = []
        reading = Reading(call, shown.append, Patience())
        async with reading.clock:
            for chunk in chunks:
                reading.take(chunk)
        completion = await reading.to_completion()
        assert completion.text == "".join(shown)
        assert completion.usage.input_tokens >= 0
        assert completion.usage.output_tokens >= 0
        assert completion.reported_cost is None or completion.reported_cost >= 0

    try:
        asyncio.run(read())
    except GatewayError as error:
        assert str(error)


@given(st.one_of(anything.json, st.lists(anything.shape(name=NAMES, type=NAMES, data=NAMES))))
def test_uploads_are_taken_or_refused_in_words(given_files: object) -> None:
    try:
        asyncio.run(read_uploads(given_files))
    except PromptError as error:
        assert str(error)


MAGIC = st.sampled_from(
    [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 "]
)


@given(MAGIC, st.binary(max_size=200))
def test_a_picture_s_head_is_read_or_it_is_none(magic: bytes, rest: bytes) -> None:
    picture = read_picture(magic + rest)
    assert picture is None or (picture.width >= 0 and picture.height >= 0)


@given(NAMES, NAMES, st.binary(max_size=400))
def test_a_file_s_content_is_words_or_a_problem(name: str, kind: str, content: bytes) -> None:
    file = Attachment(name=name, media_type=kind, size_bytes=len(content))
    for read in (with_words(file, content), with_picture(file, content)):
        assert isinstance(read.text, str)


@given(NAMES, NAMES, NAMES)
def test_no_cell_of_the_ledger_is_a_formula(user_id: str, alias: str, name: str) -> None:
    entry = replace(ENTRY, user_id=user_id, alias=alias, error=name)
    names = PlaceNames(workspace=name, channels={ENTRY.channel_id: name}, users={user_id: name})
    for cell in to_row(entry, names):
        assert not cell.lstrip(" \n").startswith(("=", "+", "@", "\t", "\r"))


ENV_NAMES = st.sampled_from(
    ["PARLEY_PORT", "PARLEY_MONTHLY_CAP_USD", "PARLEY_LOCAL", "PARLEY_HOME", "DATABASE_URL", "X"]
)


@given(st.dictionaries(ENV_NAMES, anything.text), st.binary(max_size=50))
def test_an_env_file_is_read_or_its_faults_are_told(values: dict[str, str], rest: bytes) -> None:
    lines = "\n".join(f"{name}={value}" for name, value in values.items())
    with TemporaryDirectory() as folder:
        path = Path(folder) / ".env"
        path.write_bytes(lines.encode("utf-8", "surrogatepass") + b"\n" + rest)
        try:
            load_settings(path)
        except ConfigurationError as error:
            assert str(error)
