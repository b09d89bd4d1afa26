"""From a derivation to a schedule: batches, shared parts, order and storage."""
