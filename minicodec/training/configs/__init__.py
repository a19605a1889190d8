"""Support: recipes of a few lines each: what they change, and nothing else."""
