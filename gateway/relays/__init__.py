"""The gateway as client: pulls a stream over WHEP, mattes it, pushes the composite over WHIP."""
