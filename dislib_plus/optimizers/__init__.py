"""Optimizers: of each player (gin's `<player>_optimizer`), and the names that gin files know from TensorFlow 1."""
