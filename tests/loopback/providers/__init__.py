"""One loopback server that speaks the protocols of the model providers, with faults to switch on.

It knows nothing of our own code: what it was asked, what it answered and what it billed is its own
record, so that a test can hold our ledger against it.
"""

from tests.loopback.providers.record import Billed, Outcome, Seen, count_tokens
from tests.loopback.providers.script import Fault, FaultKind, Reply, Script
from tests.loopback.providers.server import ProviderServer

__all__ = [
    "Billed",
    "Fault",
    "FaultKind",
    "Outcome",
    "ProviderServer",
    "Reply",
    "Script",
    "Seen",
    "count_tokens",
]
