"""Run the loopback Discord by itself: `python -m tests.loopback.discord --port 0`.

Prints one line of JSON with its addresses, a server, a channel and a person to begin with.
"""

from __future__ import annotations

import argparse
import asyncio
import json

from tests.loopback.discord.control import ControlledServer


async def serve(port: int, latency_s: float) -> None:
    """Run until the process is stopped."""
    server = ControlledServer(latency_s=latency_s)
    await server.start(port)
    guild = server.world.add_guild("Loopback")
    channel = server.world.add_channel(guild["id"], "general")
    person = server.world.add_user("Ada")
    about = {
        "api_base": server.api_base,
        "control": f"http://127.0.0.1:{server.port}/_control",
        "token": server.token,
        "guild_id": guild["id"],
        "channel_id": channel["id"],
        "user_id": person["id"],
    }
    print(json.dumps(about), flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    options = parser.parse_args()
    try:
        asyncio.run(serve(options.port, options.latency))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
