"""A process that runs the demo model, tells both ids and its address, and waits to be killed."""

import asyncio

from adapters.local_model.demo import DemoModel


async def main() -> None:
    """Run until killed."""
    async with DemoModel() as demo:
        base_url = await demo.ready()
        print(demo.pid, base_url, demo.api_key, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
