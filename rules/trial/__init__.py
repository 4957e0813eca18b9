"""Rules are tried: tests in the series notation, by their authors and by the town."""
