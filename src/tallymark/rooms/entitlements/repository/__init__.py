"""How features, privileges and grants are kept."""
