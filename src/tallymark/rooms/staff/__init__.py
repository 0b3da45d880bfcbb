"""Staff: who runs an installation, and what they have done."""
