"""What is sold: plans with a base price, and charges that price the use of metrics."""
