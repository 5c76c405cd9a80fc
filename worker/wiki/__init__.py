"""A wiki as its dumps describe it: what titles mean, which articles and redirects exist, which categories they have."""
