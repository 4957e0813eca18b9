"""Foreign network servers and vendor payloads onto canonical topics; device credentials and broker rules."""
