"""The catalogue: competitions, teams, fixtures and line-ups, as several sources know them and as one."""
