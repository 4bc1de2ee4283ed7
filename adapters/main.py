"""Where everything is put together: reads the settings, builds the parts, runs them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from adapters.active_models import ModelChoice, choose_models, key_of, read_catalog
from adapters.cli.app import run_app
from adapters.clock import SystemClock
from adapters.inline_queue import InlineQueue
from adapters.llm import LiteLLMGateway, known_models
from adapters.local_model.demo import DemoModel
from adapters.local_model.gateway import DemoGateway
from adapters.local_model.prompting import KEY_NAME as DEMO_KEY
from adapters.local_model.prompting import to_spec as to_demo_spec
from adapters.logs import start_logs
from adapters.parts import Parts
from adapters.settings import AppSettings, load_settings
from bot.catalog import ModelSpec
from bot.difficulty import Estimator, RulesEstimator
from bot.inbox import Inbox
from bot.ports import Delivery, Gateway
from bot.responder import Responder
from bot.router import Router
from storage import open_store


@dataclass(frozen=True, slots=True)
class TerminalSession:
    """The parts of one terminal session."""

    parts: Parts
    queue: InlineQueue


@dataclass(frozen=True, slots=True)
class _Models:
    """The models that can be asked, and the way to them."""

    choice: ModelChoice
    gateway: Gateway


class Main:
    """The program behind the command line."""

    def settings(self) -> AppSettings:
        """Read the environment and `.env`, and start the logs."""
        settings = load_settings()
        start_logs(settings.parley_log_level)
        return settings

    def listed_models(self, settings: AppSettings) -> ModelChoice:
        """The catalogue, without looking for models on this machine."""
        return choose_models(read_catalog(settings.models_path, known_models()), settings)

    def estimator(self) -> Estimator:
        """The estimator that the router uses."""
        return RulesEstimator()

    @asynccontextmanager
    async def open_terminal(
        self, settings: AppSettings, delivery: Delivery
    ) -> AsyncIterator[TerminalSession]:
        """Everything that answers a prompt, for one terminal session."""
        async with AsyncExitStack() as stack:
            models = await stack.enter_async_context(self._open_models(settings))
            settings.parley_home.mkdir(parents=True, exist_ok=True)
            store = await stack.enter_async_context(open_store(settings.store_url))
            clock = SystemClock()
            router = Router(models.choice.active, self.estimator())
            responder = Responder(
                store=store,
                gateway=models.gateway,
                delivery=delivery,
                router=router,
                clock=clock,
                instance_cap=settings.instance_cap,
            )
            queue = InlineQueue(responder.answer)
            parts = Parts(
                settings=settings,
                models=models.choice,
                router=router,
                gateway=models.gateway,
                store=store,
                inbox=Inbox(store, queue, clock),
                responder=responder,
                clock=clock,
            )
            yield TerminalSession(parts, queue)

    async def up(self, settings: AppSettings) -> None:
        """Run all that is configured until told to stop."""

    @asynccontextmanager
    async def _open_models(self, settings: AppSettings) -> AsyncIterator[_Models]:
        """The models that are switched on; the demo model when there is no other."""
        choice = self.listed_models(settings)
        async with AsyncExitStack() as stack:
            demo = DemoModel() if _wants_demo(settings, choice) else None

            def key(model: ModelSpec) -> str:
                if demo is not None and model.api_key_env == DEMO_KEY:
                    return demo.api_key
                return key_of(model, settings)

            litellm = LiteLLMGateway(key)
            litellm.start()
            stack.push_async_callback(litellm.close)
            if demo is None:
                yield _Models(choice, litellm)
                return
            await stack.enter_async_context(demo)
            with_demo = ModelChoice(
                listed=choice.listed, active=choice.active.with_models((to_demo_spec(None),))
            )
            yield _Models(with_demo, DemoGateway(litellm, demo))


def _wants_demo(settings: AppSettings, choice: ModelChoice) -> bool:
    if settings.parley_local == "demo":
        return True
    return settings.parley_local == "auto" and not choice.active.models


def main() -> None:
    """The console script."""
    run_app(Main())


if __name__ == "__main__":
    main()
