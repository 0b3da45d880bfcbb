"""What is added to prices by law: taxes and who carries them."""
