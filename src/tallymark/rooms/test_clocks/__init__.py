"""Time as an input: moving a simulated organization's clock."""
