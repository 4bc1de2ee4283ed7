"""Run the loopback Slack by itself: `python -m tests.loopback.slack --port 0`."""

import argparse
import asyncio
import json

from tests.loopback.slack.control import ControlledSlack
from tests.loopback.slack.server import APP_TOKEN


async def serve(port: int, time_scale: float, channels: int) -> None:
    """Print where it listens and the tokens it takes as one JSON line, then serve."""
    slack = ControlledSlack(time_scale=time_scale)
    slack.has_echoes = channels == 0
    for number in range(channels):
        slack.space.add_channel(f"CX{number}", f"x{number}")
    await slack.start(port)
    facts = {
        "SLACK_API_BASE": slack.base_url,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "SLACK_BOT_TOKEN": slack.space.bot_token,
        "control": f"{slack.origin}/control/",
    }
    print(json.dumps(facts), flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await slack.__aexit__()


def main() -> None:
    """Read the options and serve until interrupted."""
    parser = argparse.ArgumentParser(description="A loopback Slack server.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--time-scale", type=float, default=1.0)
    parser.add_argument("--channels", type=int, default=0, help="More channels, for a bench.")
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.time_scale, options.channels))


if __name__ == "__main__":
    main()
