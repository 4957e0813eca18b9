"""HTTP: the public parking documents, the operators' interface, and the residents' page.

Parking availability comes from the broker's retained zone topics and is held in memory, so the public part answers
while the database is down; everything else is read from the database at the time of asking. The API decides nothing:
an override is a row that `rules` takes up, and what may be set is guarded by `telemetry.guards`.
"""
