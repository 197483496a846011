"""Who is who: competitions, teams, fixtures and players of different sources as one."""
