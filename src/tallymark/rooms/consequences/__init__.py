"""What would come of an act, before anybody does it."""
