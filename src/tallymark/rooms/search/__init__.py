"""Finding anything by a part of its name."""
