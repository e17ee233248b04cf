"""Decisions, and nothing else: who may do what, in which state, and the one path out. No files, no clock, no chance."""
