"""The terminal: `parley ask`, `chat`, `route`, `models`, `doctor`. Data on standard output."""
