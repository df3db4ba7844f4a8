"""A ledger of many numbers: filled with real histories, and measured as it grows."""
