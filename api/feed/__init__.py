"""The event feed and its webhooks: every event of an account, in order, none missed."""
