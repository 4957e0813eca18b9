"""Rules tried over what was stored: two versions go through the same history, and what differs is told."""
