"""What is measured: how events of a code become units."""
