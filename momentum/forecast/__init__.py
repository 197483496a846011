"""What comes next: the probability of the next five minutes and the forward curve, learned from recorded matches."""
