"""The base class of custom models that were written for disentanglement_lib."""

from dislib_plus import replicas
from dislib_plus.meanings import nats
from dislib_plus.methods import keras_config
from dislib_plus.methods.vae import VAE


class BaseVAE(VAE):
    """loss = reconstruction + regularizer(kl_loss, z_mean, z_logvar, z_sampled), as in disentanglement_lib.

    A model that subclasses disentanglement_lib's BaseVAE works by importing this class
    instead. Its __init__ need not call this one's, and may take what it likes; for saving,
    every argument of __init__ must be kept as the attribute of the same name:

        @gin.configurable("bottleneck_vae")
        class BottleneckVAE(BaseVAE):
            def __init__(self, gamma=gin.REQUIRED, target=gin.REQUIRED):
                self.gamma = gamma
                self.target = target

            def regularizer(self, kl_loss, z_mean, z_logvar, z_sampled):
                return self.gamma * tf.abs(kl_loss - self.target)
    """

    terms = ("reconstruction", "kl", "regularizer")
    meanings = {"regularizer": nats("what `regularizer` returns: all of the loss but the reconstruction")}
    latent_groups = "normal"
    _OWN = ("latents", "encoder", "decoder", "reconstruction")

    def __new__(cls, *args, **kwargs):
        instance = super().__new__(cls, *args, **kwargs)
        BaseVAE.__init__(instance)
        return instance

    def regularizer(self, kl_loss, z_mean, z_logvar, z_sampled):
        """What is added to the reconstruction loss, a scalar.

        Args:
          kl_loss: mean KL of the batch, nats.
          z_mean, z_logvar, z_sampled: [batch, latents].
        """
        raise NotImplementedError(f"{type(self).__name__} must define "
                                  "regularizer(kl_loss, z_mean, z_logvar, z_sampled).")

    def regularizers(self, q, z):
        return {"regularizer": self.regularizer(replicas.mean(q.kl()), q.mean, q.log_var, z)}

    def loss_weights(self):
        return {"kl": 0.0}

    def get_config(self):
        return {**super().get_config(), **{name: keras_config.serialize(getattr(self, name)) for name in self._OWN}}

    @classmethod
    def from_config(cls, config):
        values = {name: keras_config.deserialize(value) for name, value in config.items()}
        own = {name: values[name] for name in cls._OWN}
        model = cls(**{name: value for name, value in values.items()
                       if name not in (*cls._OWN, "trainable", "dtype", "name")})
        VAE.__init__(model, **own, name=config.get("name"), dtype=config.get("dtype"))
        return model
