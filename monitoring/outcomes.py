"""What becomes of records and of rows of truth, as the archive's column `status` says it."""

COUNTED, DUPLICATE_ID, TEST = "counted", "duplicate_id", "test"  # a prediction; a test may be truth, too
JOINED, DUPLICATE, CORRECTED, PENDING = "joined", "duplicate", "corrected", "pending"  # a row of truth
REWARD = "reward"  # feedback that brings no truth
