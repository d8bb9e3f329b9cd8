"""The base network in eight-bit integers: ranges of what its convolutions read, found once and kept
in the card, and the network that rounds to them."""
