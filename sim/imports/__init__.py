"""Real drives become recordings: readers of what others recorded, and one writer."""
