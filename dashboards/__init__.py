"""Grafana as code: what the city's operators look at, built, checked and put into service from here.

`overview.py` says what stands where, `overview.sql` what is asked of the database, `generated/` is what Grafana loads.
"""
