"""The momentum index, xG, the forward curve, and the recomputation of a published feed."""
