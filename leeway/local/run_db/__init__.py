"""What an MLRun service keeps and does, on one machine: behind MLRun's own run-DB interface, in SQLite."""
