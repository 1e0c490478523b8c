"""Models as one Python file that needs NumPy alone."""
