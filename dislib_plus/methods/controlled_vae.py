"""The base of the methods whose weight of the KL is set by a controller."""

from dislib_plus import replicas
from dislib_plus.meanings import Meaning, nats
from dislib_plus.methods.vae import VAE


class ControlledVAE(VAE):
    """loss = reconstruction + W(t) * KL with W(t) from a controller that sees the KL of the batch.

    Subclasses make `controller` and state the `set_point`. The controller's state
    advances by one whenever the loss is computed with training=True. The weight and
    the set point are logged.
    """

    terms = ("reconstruction", "kl", "kl_weight", "set_point")
    meanings = {"kl_weight": Meaning("W(t), the controller's weight of the KL", low=0),
                "set_point": nats("C(t), where the controller holds the KL", low=0)}

    def build_networks(self, observation_shape):
        super().build_networks(observation_shape)
        self.controller = self.make_controller()

    def make_controller(self):
        """The methods.controllers.Controller, with its variables."""
        raise NotImplementedError

    def set_point(self):
        """C(t), nats."""
        raise NotImplementedError

    def loss_terms(self, batch, training=False, seed=None):
        terms = super().loss_terms(batch, training, seed)
        if training:
            self.controller.observe(replicas.mean(terms["kl"]), self.set_point())
        return {**terms, "kl_weight": self.controller.applied(), "set_point": self.set_point()}

    def loss_weights(self):
        return {"kl": self.controller.applied(), "kl_weight": 0.0, "set_point": 0.0}
