"""How the moments of random arrays travel through a program: means, second moments, variances."""
