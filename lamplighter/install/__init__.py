"""`lamplighter install`: what a machine needs to run Lamplighter for good, as a plan that is shown or carried out."""
