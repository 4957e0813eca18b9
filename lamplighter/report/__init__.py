"""Reports for those outside: plain data in, CSV or a page to print out, in German or English."""
