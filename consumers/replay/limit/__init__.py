"""`--find-limit`: raises the speed until a threshold breaks, and says what held."""
