"""The keeper: publishes a signed sample every second and cranks what is due on chain."""
