"""Deliberations, advices and house rules: text in, frozen self-validating models out. No file is opened here."""
