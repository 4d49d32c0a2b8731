"""What a method says is frozen, fixed or not updated stays as it is, bit for bit, with its optimizer slots."""

import inspect
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus import keras_internals, methods
from dislib_plus.data import ResidentGrid, batches
from dislib_plus.latents import LatentSpec
from dislib_plus.methods import DEFT, MSVAE, BetaTCVAE, DeVAE
from dislib_plus.methods.devae_layers import parallel_heads
from dislib_plus.networks.decoders import fc_decoder
from dislib_plus.networks.encoders import fc_encoder
from dislib_plus.networks.group_encoder import side_by_side, weights_of_groups
from dislib_plus.networks.residual import film_generator, residual_encoder

STEPS = 50
BETAS = [1.0, 10.0, 40.0]
SAYS_SO = re.compile(r"\b(frozen|freezes?|untouched|fixed|(not|neither) (trained|updated|moved)|stays? as)\b")


@pytest.fixture
def deft(tiny, tiny_encoder):
    """Function (**hyperparameters) -> DEFT with an encoder for each of three groups; a new stage after 50 steps."""
    def build(**hyperparameters):
        encoder = side_by_side([tiny_encoder(2, seed=group) for group in range(3)])
        return tiny(DEFT, latents=6, encoder=encoder, group_size=2,
                    **{"betas": [4.0, 2.0], "stage_steps": STEPS, **hyperparameters})
    return build


@pytest.fixture
def devae(tiny, tiny_encoder, tiny_decoder):
    """Function (**hyperparameters) -> DeVAE with three layers."""
    def build(structure, **hyperparameters):
        if structure == "parallel":
            hyperparameters["encoder"] = parallel_heads(tiny_encoder(), len(BETAS))
        return tiny(DeVAE, decoder=tiny_decoder(8), betas=BETAS, structure=structure, **hyperparameters)
    return build


def with_slots(model, masks):
    """(name, variable, mask) of weights and of their optimizer slots; masks: list of (weight, mask)."""
    return [(entry.path, entry, np.broadcast_to(mask, weight.shape)) for weight, mask in masks
            for entry in (weight, *keras_internals.slots_of(model.optimizer, weight))]


def steps_that_keep(model, x, kept, count):
    """Trains `count` steps; what `kept()` names before each step must be the same after it. Returns what moved."""
    step, moved = tf.function(model.train_step), set()
    for number in range(count):
        before = [(name, entry, mask, entry.numpy()) for name, entry, mask in with_slots(model, kept())]
        step(x)
        for name, entry, mask, old in before:
            new = entry.numpy()
            assert np.array_equal(new[mask], old[mask]), f"{name} moved in step {number}"
            moved |= {name} if (new[~mask] != old[~mask]).any() else set()
    return moved


def frozen_groups(model, also_earlier):
    """Masks of DEFT's weights that the next step does not train."""
    def kept():
        stage = min(int(model.updates) // STEPS, 2)
        masks = [(weight, group > stage or also_earlier and group < stage)
                 for group, weights in enumerate(weights_of_groups(model.encoder, 3)) for weight in weights]
        if model.rescale:
            waiting = np.arange(6) // 2 >= stage
            masks += [(model.log_scale, waiting), (model.shift, waiting)]
        return masks
    return kept


def adam(decay=None):
    """Adam, whose momentum and decay move what has no gradient."""
    return keras.optimizers.Adam(0.01, weight_decay=decay)


@pytest.mark.parametrize("decay, hyperparameters", ((None, dict(preset="2022")), (0.1, dict(gamma=0.0)),
                                                    (0.1, dict(preset="2021"))), ids=str)
def test_deft(deft, images, decay, hyperparameters):
    """Two stages of 50 steps and the beginning of the third: every group has momentum when its stage ends."""
    model = deft(optimizer=adam(decay), **hyperparameters)
    kept = frozen_groups(model, also_earlier=model.gamma == 0)
    assert len(kept()) >= 3 * 4
    steps_that_keep(model, images, kept, STEPS)
    codes = model.represent(images)[:, :2].numpy()
    steps_that_keep(model, images, kept, STEPS + 5)
    moved = np.abs(model.represent(images)[:, :2].numpy() - codes).max()
    assert moved == 0 if hyperparameters == dict(gamma=0.0) else moved > 0.01
    for weights in weights_of_groups(model.encoder, 3):
        for weight in weights:
            slots = [slot.numpy() for slot in keras_internals.slots_of(model.optimizer, weight)]
            assert len(slots) == 2 and all((slot != 0).any() for slot in slots), weight.path


@pytest.mark.parametrize("structure, decay", (("dit", None), ("linear", 0.1), ("parallel", 0.1)))
def test_devae_layers_that_are_not_drawn(devae, images, structure, decay):
    model = devae(structure, optimizer=adam(decay))

    def kept():
        layer = model.draw_layer(model.training_seed())
        used = [(model.embeddings, [[number == int(layer)] for number in range(3)]),
                *model.posteriors.used_weights(layer, model.encoder)]
        return [(weight, np.logical_not(mask)) for weight, mask in used]
    moved = steps_that_keep(model, images, kept, STEPS)
    assert {name for name, _, _ in with_slots(model, kept())} == moved


def test_first_stage_of_ms_vae():
    side, spec = 32, LatentSpec(2, scale="softplus")
    shape = (side, side, 1)
    data = ResidentGrid("noise", ["a", "b"], [4, 6],
                        np.random.RandomState(0).randint(0, 256, (24, *shape)).astype(np.uint8))
    first = BetaTCVAE(beta=3.0, latents=3, encoder=fc_encoder(shape, LatentSpec(3), units=(12,)),
                      decoder=fc_decoder(3, shape, units=(12,)))
    model = MSVAE(stage_one=first, z_size=2, encoder=residual_encoder(shape, spec, width=2),
                  decoder=film_generator(shape, 2, width=2))
    model.build((None, *shape))
    entries, before = [], []
    for number, stage in enumerate(model.stages()):
        dataset = stage.data_of(data)
        stage.model.compile(adam(0.1))
        if number:
            entries = [*first.variables, *first.optimizer.variables]
            before = [entry.numpy() for entry in entries]
        parts = batches.parts_of(stage.model, dataset)
        stage.model.fit(batches.training_batches(dataset, parts, 4, 0, 0, STEPS), verbose=0)
    assert len(entries) > 3 * 8 and int(first.optimizer.iterations) == STEPS
    for entry, old in zip(entries, before):
        np.testing.assert_array_equal(entry.numpy(), old, err_msg=entry.path)


def test_every_promise_is_kept():
    """Whatever method's documentation says so has a test here, or in the file of its tests: TeacherStudent, NVDM."""
    said = {name for name, thing in vars(methods).items()
            if inspect.isclass(thing) and thing.__doc__ and SAYS_SO.search(thing.__doc__)}
    assert said == {"DEFT", "DeVAE", "MSVAE", "NVDM", "TeacherStudent"}


def test_freezing_needs_an_encoder_for_each_group(tiny):
    for hyperparameters in (dict(gamma=0.0), dict(preset="2022"), dict(gamma=0.0, structure="single")):
        with pytest.raises(ValueError, match="deft.gamma = 0 freezes earlier groups, which needs an encoder for each"):
            tiny(DEFT, betas=[8.0, 2.0], stage_steps=10, group_size=2, **hyperparameters)
    encoder = side_by_side([fc_encoder((8, 8, 1), LatentSpec(2), units=()) for _ in range(2)])
    assert tiny(DEFT, betas=[8.0, 2.0], stage_steps=10, group_size=2, gamma=0.0, encoder=encoder).gamma == 0
