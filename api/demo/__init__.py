"""The demo account: a clinic's half year, told through the same writer as everything else."""
