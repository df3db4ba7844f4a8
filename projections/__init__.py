"""What we show: read models whose rows commit with the events they come from."""
