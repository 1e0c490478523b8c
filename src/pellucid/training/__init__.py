"""Training: the loop, optimisers, schedules, callbacks, history and progress."""
