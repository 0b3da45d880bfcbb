"""The HTTP toolkit that every room's routes share: authentication, errors, pagination, wire formats."""
