"""symbp derives reverse and forward mode step by step and writes the gradient as NumPy code."""
