"""The core: what is decided, and why. It knows no platform, no SDK, no clock and no socket."""
