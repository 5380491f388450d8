"""What the platform says, from messages to what a batch adds to each app."""
