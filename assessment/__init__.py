"""Assessment runs of customer managers (客户经理): pinned, sealed, never silently changed."""
