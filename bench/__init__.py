"""How fast Tailrace is, beside the simplest thing that could do the job and beside peers."""
