"""Tells people of what happened: incidents, consumers that do not move."""
