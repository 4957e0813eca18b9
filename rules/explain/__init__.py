"""What holds now and why, and when it changes next: for one asset or zone, from the memory of the rules themselves."""
