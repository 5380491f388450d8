"""`alerts` of the Procfile: judges the figures by rules, and tells people once, with the reason."""
