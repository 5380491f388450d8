"""Two spans of an app side by side, route by route: what is better, worse, or not known. Pure."""
