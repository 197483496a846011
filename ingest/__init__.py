"""Provider feeds in, canonical events out: one vocabulary, one playing clock, every correction kept."""
