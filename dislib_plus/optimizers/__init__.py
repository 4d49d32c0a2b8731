"""Optimizers: who is updated by which (gin's `<player>_optimizer`), and the names that gin files know from TensorFlow 1."""
