"""`seisloom synth volumes` and `synth priors`: sets of numbered cubes, volumes of any size, priors from a survey."""
