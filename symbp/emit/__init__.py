"""From a derivation or a schedule to text: NumPy modules, Unicode, LaTeX, Markdown."""
