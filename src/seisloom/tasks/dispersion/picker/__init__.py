"""From a velocity spectrum to the curves of its modes, each with an interval or abstained from."""
