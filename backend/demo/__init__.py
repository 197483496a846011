"""The demo: a recorded match replayed as a live feed through the whole road, with scripted people."""
