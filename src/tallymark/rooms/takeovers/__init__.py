"""The room of what is taken over from another billing system."""
