"""Raw usage records: how they come in and how they are read back."""
