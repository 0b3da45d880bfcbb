"""Work that happens later: the agenda of what falls due, the queue in PostgreSQL, the schedule."""
