"""Native codecs: pure, one file a device or family, the maker's data sheet as docstring; `catalogue` finds them."""
