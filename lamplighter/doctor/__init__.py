"""`lamplighter doctor`: looks at everything a service stands on, and says what is wrong and the mend."""
