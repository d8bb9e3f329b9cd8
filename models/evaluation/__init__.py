"""How good a matte is, by the definitions the field publishes its tables with."""
