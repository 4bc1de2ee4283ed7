"""The loopback server as a process of its own.

    python -m tests.loopback.providers --port 0 --script answers.json --record seen.jsonl

Prints one line of JSON, `{"address": …, "bases": {…}}`, and serves until it is ended. Then
`GET /_record` has what was asked and billed, and `POST /_faults` takes a list of faults such as
`[{"kind": "rate_limit", "retry_after_s": 2, "provider": "groq", "times": 3}]`.
"""

import argparse
import asyncio
import json
import signal
from pathlib import Path

from tests.loopback.providers.script import Script, to_script
from tests.loopback.providers.server import ProviderServer


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", default="", help="a JSON file, or the JSON itself")
    parser.add_argument("--record", type=Path, help="append each ended request to this file")
    options = parser.parse_args()
    asyncio.run(serve(options.port, read_script(options.script), options.record))


def read_script(source: str) -> Script:
    """Read a script from a file or from the text itself; nothing makes it echo."""
    if not source:
        return Script()
    text = source if source.lstrip().startswith("{") else Path(source).read_text("utf-8")
    return to_script(json.loads(text))


async def serve(port: int, script: Script, record: Path | None) -> None:
    """Serve until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = ProviderServer(script, record)
    await server.start(port)
    print(json.dumps({"address": server.address, "bases": server.bases}), flush=True)
    await stopped.wait()
    await server.stop()


if __name__ == "__main__":
    main()
