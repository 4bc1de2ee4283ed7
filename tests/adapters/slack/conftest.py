"""A loopback Slack and a Parley on it, new for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.adapters.slack.rig import Rig, running
from tests.loopback.slack import LoopbackSlack


@pytest.fixture
async def slack() -> AsyncIterator[LoopbackSlack]:
    async with LoopbackSlack(time_scale=60) as server:
        yield server


@pytest.fixture
async def rig(slack: LoopbackSlack) -> AsyncIterator[Rig]:
    async with running(slack) as rig:
        yield rig
