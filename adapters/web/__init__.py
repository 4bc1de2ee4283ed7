"""The web chat: pages that any browser shows, a JSON interface, and answers as they are written.

`main` makes a WebDelivery and a Startup, builds WebParts, and runs `create_app` on `listen`.
"""

from adapters.web.app import create_app
from adapters.web.dashboard import Dashboard
from adapters.web.delivery import WebDelivery
from adapters.web.parts import WebParts
from adapters.web.probes import Check, probe_routes
from adapters.web.server import address_of, listen, run_web
from adapters.web.startup import Stage, Stages, StageState, Startup

__all__ = [
    "Check",
    "Dashboard",
    "Stage",
    "StageState",
    "Stages",
    "Startup",
    "WebDelivery",
    "WebParts",
    "address_of",
    "create_app",
    "listen",
    "probe_routes",
    "run_web",
]
