"""The report of opted-out numbers: what is found, page by page or whole, and how it is written."""
