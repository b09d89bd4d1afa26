"""From a program to its derivation: the sweeps of both modes, each line with its law."""
