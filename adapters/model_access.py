"""The models that can be asked now: by key, from servers found here, or the demo model."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from adapters.active_models import ModelChoice, choose_models, key_of, read_catalog
from adapters.llm import LiteLLMGateway, known_models
from adapters.local_model.demo import DemoModel
from adapters.local_model.detection import find_models
from adapters.local_model.gateway import DemoGateway
from adapters.local_model.listing import summary, to_specs
from adapters.local_model.prompting import KEY_NAME as DEMO_KEY
from adapters.local_model.prompting import to_spec as to_demo_spec
from adapters.settings import AppSettings
from bot.catalog import ModelSpec
from bot.ports import Gateway

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAccess:
    """What can be asked, and how."""

    choice: ModelChoice
    gateway: Gateway
    litellm: LiteLLMGateway
    demo: DemoModel | None
    found: str = ""
    """What was found on this machine, in words."""

    async def loaded(self) -> str:
        """Wait until prompts can be answered; says with what. Raises ProviderUnavailableError."""
        await self.litellm.ready()
        if self.demo is not None:
            await self.demo.ready()
        return ", ".join(self.choice.active.aliases())


def listed_models(settings: AppSettings) -> ModelChoice:
    """The catalogue and what its keys switch on; raises ConfigurationError for a faulty file."""
    return choose_models(read_catalog(settings.models_path, known_models()), settings)


@asynccontextmanager
async def open_models(
    settings: AppSettings, *, are_asked: bool = True
) -> AsyncIterator[ModelAccess]:
    """Look for models on this machine, start what is needed, close it at the end.

    Where none `are_asked`, since other processes answer, they are only listed.
    Nothing here waits for LiteLLM or the demo model to load: a call made earlier does.
    """
    choice, found = listed_models(settings), ""
    if settings.parley_local == "auto":
        servers = await find_models(ollama_base=settings.ollama_api_base)
        choice, found = choice.with_found(to_specs(servers)), summary(servers)
    async with AsyncExitStack() as stack:
        demo = None
        if are_asked and _wants_demo(settings, choice):
            demo = await stack.enter_async_context(DemoModel())
            choice = choice.with_found((to_demo_spec(None),))
        litellm = LiteLLMGateway(_Keys(settings, demo))
        if are_asked:
            litellm.start()
        stack.push_async_callback(litellm.close)
        yield ModelAccess(
            choice=choice,
            gateway=litellm if demo is None else DemoGateway(litellm, demo),
            litellm=litellm,
            demo=demo,
            found=found,
        )


@dataclass(frozen=True, slots=True)
class _Keys:
    """Gives the key of a model: from the settings, or of this run's demo model."""

    settings: AppSettings
    demo: DemoModel | None

    def __call__(self, model: ModelSpec) -> str:
        if self.demo is not None and model.api_key_env == DEMO_KEY:
            return self.demo.api_key
        return key_of(model, self.settings)


def _wants_demo(settings: AppSettings, choice: ModelChoice) -> bool:
    if settings.parley_local == "demo":
        return True
    return settings.parley_local == "auto" and not choice.active.models
