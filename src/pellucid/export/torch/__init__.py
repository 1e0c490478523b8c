"""Networks, and what is before and after them, as PyTorch modules."""
