"""Live feeds over the network: one interface (`arrival.Source`), one module for each transport."""
