"""Pepperl+Fuchs, maker of industrial sensors."""
