"""The gateway as a participant of somebody else's rooms: each composite beside its publisher."""
