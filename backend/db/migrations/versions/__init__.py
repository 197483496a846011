"""One module per migration, in the order of their numbers. Never edit one that has been released: add another."""
