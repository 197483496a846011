"""History as data: the rows that are kept of a match, how they follow from a feed, and their Parquet files. Pure."""
