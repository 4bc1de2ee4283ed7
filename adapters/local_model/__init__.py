"""Models on this computer: the demo model that ships with Parley, and servers that already run."""
