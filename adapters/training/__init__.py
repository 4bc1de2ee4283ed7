"""Makes, measures and ships the difficulty model; needs files, so it is not in the core."""
