"""The top room: gathers facts, has the domain compute, saves the result."""
