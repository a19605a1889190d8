"""Sound that nobody recorded: what levels carry, a language model of codes, and what it plays.

Chapters 16b and 16c.
"""
