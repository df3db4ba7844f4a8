"""Scrubs: one question about a list of any length, answered row by row (contract section 3).

The service cuts the body into blocks of whole rows and keeps their order; processes beside it read
the rows, look the numbers up and write the answers, so that checks are answered meanwhile.
"""
