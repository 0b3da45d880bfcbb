"""The back office: pages on the internal listener for the staff who run an installation (decision 41)."""
