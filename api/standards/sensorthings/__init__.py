"""OGC SensorThings 1.1, read only: parking zones for everybody, every asset for whoever has a viewer's token."""
