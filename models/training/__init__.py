"""Training: people over rooms, seen by two imperfect cameras, learned in two stages."""
