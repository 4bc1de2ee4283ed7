"""Everything that can go wrong, drawn as a tree. The docstring is what a person is told.

BotError
├── PromptError                  the prompt cannot be answered as it stands
│   ├── EmptyPromptError
│   ├── PromptTooLongError
│   ├── UnknownModelError
│   ├── UnknownCommandError
│   ├── CommandError
│   └── SettingError
├── NotAllowedError              this person may not do this here
├── TooManyPromptsError          the rate limit of one person
├── BudgetExceededError          a cap would be passed
├── NoModelError                 nothing active can take this prompt
├── GatewayError                 a provider did not answer
│   ├── AuthenticationError
│   ├── OutOfCreditError
│   ├── RateLimitError
│   ├── ContextWindowExceededError
│   ├── ContentPolicyError
│   ├── ModelNotFoundError
│   ├── ProviderUnavailableError
│   ├── ResponseTimeoutError
│   ├── EmptyAnswerError
│   └── StreamCutError           text was shown, then the provider fell silent
├── SupersededError              another process answers this turn now
├── DeliveryError                a platform did not take what we posted
├── StoreError                   what should be kept could not be kept
└── ConfigurationError           a file or an environment variable is wrong
    └── CatalogError
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar


class BotError(Exception):
    """Something went wrong. Please try again."""

    is_refusal: ClassVar[bool] = False
    """Whether it is told before any model is asked, and asking the same again gets the same."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class PromptError(BotError):
    """I can't answer this message as it stands."""

    is_refusal = True


class EmptyPromptError(PromptError):
    """There is no question in this message. Write what you would like to know."""


class PromptTooLongError(PromptError):
    """This message is longer than any model here can read. Shorten it or send a part of it."""


class UnknownModelError(PromptError):
    """There is no model of that name."""


class UnknownCommandError(PromptError):
    """There is no such command. Write `help` for the list."""


class CommandError(PromptError):
    """I can't read this command. Write `help` for how they are written."""


class SettingError(PromptError):
    """This setting can't take that value."""


class NotAllowedError(BotError):
    """You may not do this here. Ask an admin of this workspace."""

    is_refusal = True


class TooManyPromptsError(BotError):
    """That is a lot of messages at once. Wait a minute, then ask again."""


class BudgetExceededError(BotError):
    """The budget is used up."""

    def __init__(
        self, message: str = "", *, available: int = 0, resets_at: datetime | None = None
    ) -> None:
        """`available` is what may still be held, in nano-dollars."""
        super().__init__(message)
        self.available = available
        self.resets_at = resets_at


class NoModelError(BotError):
    """No model that is switched on can take this. `parley doctor` says what is missing."""


class GatewayError(BotError):
    """The model's provider did not answer. Please try again."""

    def __init__(self, message: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class AuthenticationError(GatewayError):
    """The provider refused the key. An admin should check it: `parley doctor` names it."""


class OutOfCreditError(GatewayError):
    """The account at the provider is out of credit. An admin can top it up."""


class RateLimitError(GatewayError):
    """The provider is receiving too many requests. Please try again in a minute."""


class ContextWindowExceededError(GatewayError):
    """The conversation is too long for this model. Begin a new one, or shorten your message."""


class ContentPolicyError(GatewayError):
    """The provider's content rules do not allow an answer. Ask it in another way."""


class ModelNotFoundError(GatewayError):
    """The provider does not know this model (any more). An admin should update models.toml."""


class ProviderUnavailableError(GatewayError):
    """The model's provider has a fault at the moment. Please try again in a minute."""


class ResponseTimeoutError(GatewayError):
    """The model took too long. Please try again."""


class EmptyAnswerError(GatewayError):
    """The model answered nothing. Please try again, or ask it in another way."""


class StreamCutError(GatewayError):
    """The answer was cut off by the provider. Ask again for a new one."""


class SupersededError(BotError):
    """Another process has taken this answer over."""


class DeliveryError(BotError):
    """The answer could not be posted here."""


class StoreError(BotError):
    """I could not save this, so I did not answer it. Nothing was spent. Please try again."""


class ConfigurationError(BotError):
    """The configuration has a fault."""


class CatalogError(ConfigurationError):
    """The model catalogue has faults."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)
