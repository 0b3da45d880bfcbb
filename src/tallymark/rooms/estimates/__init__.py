"""What an event would cost, before it is sent."""
