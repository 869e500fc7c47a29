"""Makes a clinic out of a seed: who works there, who comes, and how their courses of treatment run."""
