"""Users: the people who sign in, what they belong to, and their sessions."""
