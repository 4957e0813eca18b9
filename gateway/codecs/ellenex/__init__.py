"""Ellenex, maker of industrial sensors."""
