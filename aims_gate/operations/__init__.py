"""Use cases: what people do with the gate and its evidence, from the command line or Python."""
