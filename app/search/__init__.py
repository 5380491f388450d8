"""Single requests out of the kept log: which are wanted, and what they have in common."""
