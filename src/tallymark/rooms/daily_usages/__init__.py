"""Daily usage: what each subscription had used of its period by the end of a day."""
