"""What a user sets: the models, their checks, and the files they are read from; translates nothing."""
