"""The rule file: one TOML document into what the rules decide by, checked, kept in force, taken up when it changes."""
