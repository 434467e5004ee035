"""What happened, kept once, for people and for programs."""
