"""What the index, the forecast and the quote are worth on recorded matches."""
