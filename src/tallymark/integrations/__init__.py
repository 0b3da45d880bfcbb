"""One folder or file for each outside party; they implement the ports that rooms declare."""
