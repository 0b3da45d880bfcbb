"""When events leave the database, and how they come back."""
