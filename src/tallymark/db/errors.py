"""What can keep Tallymark from starting; each is told to the operator in one line."""


class StartupError(Exception):
    """Tallymark cannot start; the message says why and what to do."""
