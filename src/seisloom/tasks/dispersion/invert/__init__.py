"""From dispersion curves to Vs over depth, with how sure one can be of it."""
