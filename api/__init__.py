"""Who asks: HTTP and the command line. Data across, answers out; no rule lives here."""
