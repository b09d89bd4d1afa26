"""Training on an emitted module: data, optimisers, the loop, its state; NumPy alone."""
