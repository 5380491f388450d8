"""`make demo`: embedded Redis, a target, traffic, and the processes of the Procfile."""
