"""What billing does: one file per step."""
