"""What the server tells its operators: log fields and metric names, never a token or a message."""
