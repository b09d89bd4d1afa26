"""From derivations to text: formulas, articles, modules, files."""
