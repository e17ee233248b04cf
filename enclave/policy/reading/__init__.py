"""Policies as people read them: beside the paragraphs, in three languages; and what changes between two of them."""
