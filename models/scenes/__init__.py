"""Scenes with a known truth, made on the fly: people over rooms, and what cameras do to them."""
