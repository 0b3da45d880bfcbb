"""What is done with roles, members and invitations, one file for each."""
