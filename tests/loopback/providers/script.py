"""What the server is to answer: replies, faults, and the script that hands them out."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from tests.loopback.providers.record import CHARS_PER_TOKEN, Seen, count_tokens


class FaultKind(StrEnum):
    """Everything that can go wrong at a provider."""

    BAD_KEY = "bad_key"
    RATE_LIMIT = "rate_limit"
    NO_CREDIT = "no_credit"
    SERVER_ERROR = "server_error"
    OVERLOADED = "overloaded"
    CONTEXT_TOO_LONG = "context_too_long"
    CONTENT_FILTER = "content_filter"
    NO_SUCH_MODEL = "no_such_model"
    DROP = "drop"  # the connection ends before the headers
    HANG_BEFORE_HEADERS = "hang_before_headers"
    HANG_AFTER_HEADERS = "hang_after_headers"  # headers and the role chunk, then nothing
    SILENCE = "silence"  # after `at_token` tokens
    CUT = "cut"  # the connection drops after `at_token` tokens
    TRUNCATED = "truncated"  # a proper end of the body after `at_token` tokens, but no finish
    ERROR_IN_STREAM = "error_in_stream"  # an error event after `at_token` tokens
    EMPTY = "empty"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, for the requests of one provider or model, or for all."""

    kind: FaultKind
    at_token: int = 3
    retry_after_s: float | None = None
    provider: str | None = None
    model: str | None = None

    def applies_to(self, seen: Seen) -> bool:
        """Whether this request is one of those that are to fail."""
        return self.provider in (None, seen.provider) and self.model in (None, seen.model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer: its text, its pace, and what its usage block says beyond the counted tokens."""

    text: str
    first_delay_s: float = 0.0  # before the headers
    first_text_delay_s: float = 0.0  # after the role chunk and the reasoning
    chunk_delay_s: float = 0.0
    tokens_per_chunk: int = 1
    reasoning: str = ""
    reasoning_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0  # OpenAI and Anthropic report them
    finish_reason: str = "stop"  # stop, length, content_filter
    served_model: str | None = None
    sends_usage: bool = True  # some local servers never do
    fault: Fault | None = None

    def cut_to(self, max_output_tokens: int | None) -> "Reply":
        """Keep within what was asked for, as a provider does."""
        if max_output_tokens is None or count_tokens(self.text) <= max_output_tokens:
            return self
        text = self.text[: max_output_tokens * CHARS_PER_TOKEN]
        return replace(self, text=text, finish_reason="length")

    def pieces(self) -> list[str]:
        """Cut the text into what one chunk carries."""
        size = self.tokens_per_chunk * CHARS_PER_TOKEN
        return [self.text[start : start + size] for start in range(0, len(self.text), size)]

    def emptied_by(self, fault: Fault) -> "Reply":
        """Take the text away if that is what this fault does."""
        if fault.kind is FaultKind.CONTENT_FILTER:
            return replace(self, text="", finish_reason="content_filter")
        if fault.kind in (FaultKind.EMPTY, FaultKind.MALFORMED):
            return replace(self, text="")
        return self


Answerer = Callable[[Seen], Reply]


def echo(seen: Seen) -> Reply:
    """Answer with the prompt: what an unscripted server says."""
    return Reply(text=f"You said: {seen.prompt}")


@dataclass(slots=True)
class Script:
    """Hands out replies: the queue first, then the rules by prompt, then the standing answer."""

    standing: Answerer = echo
    queue: deque[Reply] = field(default_factory=deque)
    rules: list[tuple[str, Reply]] = field(default_factory=list)
    faults: list[tuple[Fault, int | None]] = field(default_factory=list)  # how often; None: always

    def next_reply(self, seen: Seen) -> Reply:
        """Choose the answer to this request, with the fault that is to befall it."""
        fault = self._take_fault(seen)
        reply = self._choose(seen)
        return replace(reply, fault=fault) if fault else reply

    def _choose(self, seen: Seen) -> Reply:
        if self.queue:
            return self.queue.popleft()
        for contained, reply in self.rules:
            if contained in seen.prompt:
                return reply
        return self.standing(seen)

    def _take_fault(self, seen: Seen) -> Fault | None:
        for index, (fault, times) in enumerate(self.faults):
            if not fault.applies_to(seen):
                continue
            if times is not None:
                self.faults[index] = (fault, times - 1)
            if times == 1:
                del self.faults[index]
            return fault
        return None


def to_fault(fields: Mapping[str, Any]) -> tuple[Fault, int | None]:
    """Read one fault and how often it strikes (`times`, null for always) from JSON."""
    rest = {name: value for name, value in fields.items() if name not in ("kind", "times")}
    return Fault(kind=FaultKind(fields["kind"]), **rest), fields.get("times", 1)


def to_script(fields: Mapping[str, Any]) -> Script:
    """Read a whole script from JSON: `reply`, `queue`, `rules` (with `contains`), `faults`."""
    script = Script()
    if "reply" in fields:
        standing = Reply(**fields["reply"])
        script.standing = lambda _seen: standing
    script.queue.extend(Reply(**reply) for reply in fields.get("queue", ()))
    for rule in fields.get("rules", ()):
        reply = {name: value for name, value in rule.items() if name != "contains"}
        script.rules.append((rule["contains"], Reply(**reply)))
    script.faults.extend(to_fault(fault) for fault in fields.get("faults", ()))
    return script
