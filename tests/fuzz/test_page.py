"""Whatever is sent to the page's interface is answered with a sentence, never with a fault."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.web.kit import web_chat
from tests.fuzz import anything

JSON = {"content-type": "application/json"}
PATHS = ["/api/ask", "/api/turns/x/stop", "/api/turns/x/again", "/api/turns/x/feedback", "/login"]
BODIES = st.one_of(
    st.binary(max_size=100),
    anything.shape(text=st.one_of(st.integers(), st.none()), conversation=anything.json).map(
        lambda body: json.dumps(body).encode()
    ),
)


@settings(max_examples=settings().max_examples // 20)  # each starts a server
@given(st.lists(st.tuples(st.sampled_from(PATHS), BODIES), min_size=10, max_size=20))
async def test_no_body_is_a_fault(requests: list[tuple[str, bytes]]) -> None:
    async with web_chat() as chat:
        for path, body in requests:
            async with chat.http.post(path, data=body, headers=JSON) as response:
                await response.read()
                assert response.status < 500


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"[" * 100_000, 400), (b'{"text": "' + b"a" * 500_000, 400), (b"\xff\xfe", 400)],
    ids=["deep", "unfinished", "no text"],
)
async def test_an_odd_body_is_refused(body: bytes, status: int) -> None:
    async with web_chat() as chat, chat.http.post("/api/ask", data=body, headers=JSON) as response:
        assert response.status == status
        assert (await response.json())["error"]
