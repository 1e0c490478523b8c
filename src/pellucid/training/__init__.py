"""Training: the loop in small steps, and all that accompanies it."""
