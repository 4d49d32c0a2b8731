"""A program that trains variants without a recipe on one device and on two, and prints the largest differences.

{case: [of weights, of logged terms]} as one JSON line.
"""

import json

import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from dislib_plus import methods as m  # noqa: E402
from dislib_plus.latents import LatentSpec  # noqa: E402
from dislib_plus.networks.decoders import fc_decoder  # noqa: E402
from dislib_plus.networks.encoders import fc_encoder  # noqa: E402
from dislib_plus.networks.group_encoder import side_by_side  # noqa: E402

CASES = {
    "autoencoder_normalized": (m.Autoencoder, dict(normalize_code=True, pixel_weight=1.0, weight_decay=0.01)),
    "beta_tc_vae_mss": (m.BetaTCVAE, dict(beta=5.0, gamma=2.0, estimator="mss", dataset_size=50)),
    "annealed_vae": (m.AnnealedVAE, dict(gamma=20.0, c_max=3.0, c_init=2.0, iteration_threshold=10)),
    "info_vae_kl": (m.InfoVAE, dict(divergence="kl", dataset_size=50)),
    "anchor_vae_mi": (m.AnchorVAE, dict(anchors=2, form="mi", dataset_size=50)),
    "dynamic_vae_wu": (m.DynamicVAE, dict(variant="wu", w_init=2.0)),
    "cascade_vae_c": (m.CascadeVAEC, dict(relief_interval=2, weight_decay=0.01)),
    "deft_2022": (m.DEFT, dict(betas=[5.0, 1.0], stage_steps=2, preset="2022")),
    "devae_sum": (m.DeVAE, dict(layer_mode="sum")),
}
SHAPE = (8, 8, 1)
images = np.random.RandomState(0).uniform(size=(8, *SHAPE)).astype(np.float32)


def make(method, hyperparameters):
    keras.utils.set_random_seed(0)
    groups = [fc_encoder(SHAPE, LatentSpec(2), units=(12,)) for _ in range(2)]
    networks = {"encoder": side_by_side(groups) if method is m.DEFT else fc_encoder(SHAPE, LatentSpec(4), units=(12,)),
                "decoder": fc_decoder(8 if method is m.DeVAE else 4, SHAPE, units=(12,))}
    model = method(latents=4, **networks, **hyperparameters)
    model.build((None, *SHAPE))
    model.compile(keras.optimizers.Adam(0.01, epsilon=1e-3))
    return model


def halves(context):
    return tf.data.Dataset.from_tensors(tf.reshape(images, (2, 4, *SHAPE))).repeat(5).unbatch()


strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
differences = {}
for name, case in CASES.items():
    one = make(*case)
    logs = one.fit(tf.data.Dataset.from_tensors(images).repeat(5), verbose=0, shuffle=False).history
    with strategy.scope():
        two = make(*case)
        others = two.fit(strategy.distribute_datasets_from_function(halves), steps_per_epoch=5, verbose=0,
                         shuffle=False).history
    weights = [np.abs(first.numpy() - second.numpy()).max() for first, second in zip(one.variables, two.variables)]
    terms = [abs(logs[term][0] - others[term][0]) / max(1.0, abs(logs[term][0])) for term in logs]
    differences[name] = [float(max(weights)), float(max(terms))]
print(json.dumps(differences))
