"""pro-VLAE: gates, scales and weights of every step, limits, what no gradient reaches, growth in a resumed run."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from dislib_plus.methods import VLAE, ProVLAE
from dislib_plus.training import callbacks
from support import runs
from support.kills import check_killed_run_goes_on
from support.ladder_models import make, observations
from support.losses import first_loss, step_noise, step_terms
from support.recipes import ROOT, small

RECIPE = ROOT / "small" / "pro_vlae.gin"
LENGTHS, FADE = [30, 20, 25], 10  # blocks are added after 30 and 50 iterations


@pytest.fixture(scope="module")
def x():
    return observations()


def progressive(step=0, **hyperparameters):
    """A model that a test may train."""
    return make(ProVLAE, step, **{"progressive_steps": LENGTHS, "fade_in_steps": FADE, "beta": 4.0, **hyperparameters})


@pytest.fixture(scope="module")
def at():
    """Function (step, pretrain_kl=0.5) -> a model after that many updates, one for each pretrain_kl; only read."""
    made = functools.lru_cache(lambda pretrain_kl: progressive(pretrain_kl=pretrain_kl))

    def model(step, pretrain_kl=0.5):
        made(pretrain_kl).updates.assign(step)
        return made(pretrain_kl)
    return model


def nonzero(gradient):
    """Whether a gradient reaches something; outside a graph that of a piece that was not computed is None."""
    return gradient is not None and bool(np.abs(gradient).max() > 0)


def twin(step, lengths, fade, pretrain_kl, beta, ladders="new"):
    """Gates, scales of the ladders and KL weights of blocks 1 .. L after `step` iterations, block by block."""
    blocks, begin, s = len(lengths), 0, 0
    while s < blocks - 1 and step >= begin + lengths[s]:
        begin, s = begin + lengths[s], s + 1
    alpha = 1.0 if fade == 0 else min((step - begin) / fade, 1.0)
    gates, scales, weights = [], [], []
    for block in range(1, blocks + 1):
        new = s >= 1 and block == blocks - s
        gates.append(alpha if new else float(block > blocks - s or block == blocks))
        faded = new if ladders == "new" else s >= 1 and block == blocks - s - 1
        scales.append(alpha if faded else 1.0)
        weights.append(pretrain_kl if block < blocks - s else beta)
    return gates, scales, weights


@pytest.mark.parametrize("options", (
    dict(), dict(fade_in_steps=0), dict(pretrain_kl=0), dict(fade_in_of_ladders="next"),
    dict(num_blocks=4, progressive_steps=20, fade_in_steps=20, fade_in_of_ladders="next"),
    dict(progressive_steps=[3, 2, 2], steps_per_epoch=10)))
def test_schedule_is_the_numpy_twin(options):
    options = {"progressive_steps": LENGTHS, "fade_in_steps": FADE, "pretrain_kl": 0.5, "beta": 4.0, **options}
    model = ProVLAE(**options)
    model.updates = keras.Variable(0, dtype="int64", trainable=False)
    lengths = options["progressive_steps"]
    lengths = [lengths] * 4 if lengths == 20 else [length * options.get("steps_per_epoch", 1) for length in lengths]
    for step in range(sum(lengths) + 10):
        model.updates.assign(step)
        found = (model.gates(), model.ladder_scales(), model.kl_weights())
        expected = twin(step, lengths, options["fade_in_steps"], options["pretrain_kl"], 4.0,
                        options.get("fade_in_of_ladders", "new"))
        for values, twins in zip(found, expected):
            np.testing.assert_allclose(values, twins, rtol=1e-6, err_msg=f"after {step} iterations")


def test_fade_in_of_the_paper():
    """Card 8, tests (c) and (e): 5000 iterations, anew in each step; weights (g, g, b), (g, b, b), (b, b, b)."""
    model = make(ProVLAE, progressive_steps=10000, beta=8.0)
    for begin, block, weights in ((10000, 1, [0.5, 8.0, 8.0]), (20000, 0, [8.0, 8.0, 8.0])):
        for since, alpha in ((0, 0.0), (2500, 0.5), (5000, 1.0), (9999, 1.0)):
            model.updates.assign(begin + since)
            assert float(model.gates()[block]) == float(model.ladder_scales()[block]) == alpha
            assert [float(weight) for weight in model.kl_weights()] == weights
    assert float(step_terms(model, observations())["alpha"]) == 1.0
    model.updates.assign(9999)
    assert [float(weight) for weight in model.kl_weights()] == [0.5, 0.5, 8.0]
    assert model.gates().numpy().tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("step", (0, 33, 50, 57, 75))
@pytest.mark.parametrize("pretrain_kl", (0.0, 0.5))
def test_loss_is_the_numpy_twin(x, at, step, pretrain_kl):
    model = at(step, pretrain_kl)
    gates, scales, weights = twin(step, LENGTHS, FADE, pretrain_kl, 4.0)
    h, kls, codes = x, [], []
    for block, (trunk, ladder) in enumerate(zip(model.encoder.trunk, model.encoder.ladders)):
        h = trunk(h)
        mean, log_var = (np.asarray(output, np.float64) for output in ladder(scales[block] * h))
        noise = tf.random.stateless_normal([6, 2], tf.random.fold_in(step_noise(model, "z"), block, alg="philox"),
                                           alg="philox")
        codes.append(mean + np.exp(log_var / 2) * noise.numpy())
        kls.append(0.5 * np.sum(mean ** 2 + np.exp(log_var) - log_var - 1, axis=1))
    g = None
    for block in (2, 1, 0):
        features = gates[block] * model.decoder.branches[block](codes[block].astype(np.float32))
        g = model.decoder.stages[block](features if g is None else [features, g])
    logits = np.asarray(g, np.float64)
    loss = np.sum(np.logaddexp(0, logits) - x * logits, axis=(1, 2, 3))
    loss += sum(weight * kl for weight, kl in zip(weights, kls))
    np.testing.assert_allclose(first_loss(model, step_terms(model, x)), np.mean(loss), rtol=1e-5)


def test_after_the_last_fade_in_it_is_the_vlae(x, at, gradients_of):
    """Card 8, test (a), loss and gradients, for any pretrain_kl: no block is left to pre-train."""
    vlae = make(VLAE, 60, beta=4.0)
    loss, gradients = first_loss(vlae, step_terms(vlae, x)), gradients_of(vlae, x)
    for model in (at(60, 0.0), at(60, 0.5), progressive(60, pretrain_kl=7.0)):
        np.testing.assert_allclose(first_loss(model, step_terms(model, x)), loss, rtol=1e-5)
        for gradient, other in zip(gradients_of(model, x), gradients, strict=True):
            np.testing.assert_allclose(gradient, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("step, closed, pretrain_kl", (
    (0, (0, 1), 0.5), (29, (0, 1), 0.0), (30, (0, 1), 0.5), (45, (0,), 0.5), (50, (0,), 0.0)))
def test_closed_blocks_do_not_reach_the_output(x, at, gradients_of, step, closed, pretrain_kl):
    """Card 8, test (b): other codes give equal bits, and no gradient reaches the branch, while its gate is 0."""
    model = at(step, pretrain_kl)
    codes, other = (np.random.RandomState(seed).normal(size=(6, 6)).astype(np.float32) for seed in (0, 1))
    changed = codes.copy()
    for block in closed:
        changed[:, 2 * block:2 * block + 2] = other[:, 2 * block:2 * block + 2]
    np.testing.assert_array_equal(model.decode(changed), model.decode(codes))
    branches = [branch.trainable_variables for branch in model.decoder.branches]
    gradients = iter(gradients_of(model, x, [variable for branch in branches for variable in branch]))
    for block, branch in enumerate(branches):
        reached = [nonzero(next(gradients)) for _ in branch]
        assert not any(reached) if block in closed else all(reached)


def test_closed_branches_and_what_belongs_to_them_stay_as_they_are(x):
    """In a graph: weights and moments of batch normalisation; after the growth block 2 is trained too."""
    model = progressive(27, norm="batch", fade_in_steps=0)
    step = tf.function(model.train_step)

    def trained():
        before = [[variable.numpy() for variable in branch.variables] for branch in model.decoder.branches]
        for _ in range(3):
            logs = step(x)
        assert all(np.isfinite(value) for value in logs.values())
        same = [[np.array_equal(*pair) for pair in zip(branch.variables, old, strict=True)]
                for branch, old in zip(model.decoder.branches, before)]
        return [None if any(each) and not all(each) else not any(each) for each in same]
    assert trained() == [False, False, True] and trained() == [False, True, True]


def test_ladder_of_a_new_block_sees_nothing_at_first(x, at):
    """Card 8, test (d): at s = 1, t_s = 0 its posterior is the same for all images."""
    q = at(30).infer(x)
    for block, constant in enumerate((False, True, False)):
        assert np.array_equal(np.ptp(q.groups[block].mean, axis=0) == 0, [constant] * 2)


@pytest.mark.parametrize("pretrain_kl, prior", ((0.0, True), (0.5, False)))
def test_blocks_to_come_without_pretraining_are_the_prior(x, at, pretrain_kl, prior):
    q = at(29, pretrain_kl).infer(x)
    assert [bool(np.all(np.asarray(group.kl()) == 0)) for group in q.groups] == [prior, prior, False]


def test_pretraining_moves_the_ladders_of_blocks_to_come(x, at, gradients_of):
    for pretrain_kl in (0.0, 0.5):
        model = at(0, pretrain_kl)
        heads = [ladder.trainable_variables[-1] for ladder in model.encoder.ladders]
        reached = [nonzero(gradient) for gradient in gradients_of(model, x, heads)]
        assert reached == [pretrain_kl > 0, pretrain_kl > 0, True]


def test_fade_in_goes_on_in_a_loaded_model(tmp_path):
    """Card 8, test (f)."""
    model = make(ProVLAE, 10000 + 1200, progressive_steps=10000)
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    assert float(copy.gates()[1]) == np.float32(0.24) and int(copy.progressive_step()) == 1


def test_saving(check_saving, x):
    """Inside a fade-in, and on over the next growth."""
    copy = check_saving(progressive(47, pretrain_kl=0.0, fade_in_steps=20), tf.constant(x))
    assert copy.step_ends == [30, 50]


def test_presets():
    """What paper and scripts do; an argument beside the preset wins."""
    def settings(**arguments):
        model = ProVLAE(progressive_steps=9000, **arguments)
        return (model.fade_in_steps, model.pretrain_kl, model.fade_in_of_ladders, model.latents.groups[0].log_var_clip)
    assert settings() == settings(preset="paper") == (5000, 0.5, "new", None)
    assert settings(preset="script_shapes3d") == (0, 0.5, "new", None)
    assert settings(preset="script_celeba") == (5000, 0.1, "next", (-100.0, 3.0))
    assert settings(preset="script_celeba", pretrain_kl=0, fade_in_steps=0, log_var_clip=(-1.0, 1.0)) == (
        0, 0, "next", (-1.0, 1.0))


@pytest.mark.parametrize("arguments, message", (
    (dict(beta=-1.0), "pro_vlae.beta must be a number >= 0; received -1.0"),
    (dict(pretrain_kl=-0.5), "pro_vlae.pretrain_kl must be a number >= 0; received -0.5"),
    (dict(num_blocks=0), "pro_vlae.num_blocks must be an integer >= 1; received 0"),
    (dict(fade_in_steps=11), "fade_in_steps must be at most the iterations of every step that adds a block, 10; rec"),
    (dict(progressive_steps=[10, 3, 10]), "every step that adds a block, 3; received 5"),
    (dict(progressive_steps=[10, 10]), "one for each of the 3 steps; received"),
    (dict(progressive_steps=[]), "progressive_steps must be a list of at least one"),
    (dict(preset="script"), "pro_vlae.preset must be one of 'paper', .*; received 'script'"),
    (dict(steps_per_epoch=0), "pro_vlae.steps_per_epoch must be"),
    (dict(fade_in_of_ladders="old"), "fade_in_of_ladders"),
    (dict(regularizer="mmd"), "pro_vlae.regularizer must be one of 'kl'")))
def test_bad_hyperparameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        ProVLAE(**{"progressive_steps": 10, "fade_in_steps": 5, **arguments})


def test_length_of_the_run():
    model = ProVLAE(progressive_steps=[10, 20, 30], fade_in_steps=5)
    model.check_iterations(60)
    with pytest.raises(ValueError, match="3 steps of 10, 20, 30 iterations need 60; received a run of 59"):
        model.check_iterations(59)


def test_networks_that_cannot_grow(tiny):
    with pytest.raises(ValueError, match="must be a LadderEncoder and a LadderDecoder; received a Functional"):
        tiny(ProVLAE, latents=ProVLAE(5, fade_in_steps=0).latents, progressive_steps=5, fade_in_steps=0)


# Runs of the recipe with three blocks, of 12 iterations: blocks are added after 3 and 6, each faded in within 3.

BINDINGS = [*small(RECIPE, 12), "model.checkpoint_steps = 1"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pro_vlae") / "run"
    return folder, runs.train(folder, RECIPE, BINDINGS)


class Interrupted(Exception):
    """Stands for a crash."""


def test_stopped_run_goes_on_in_the_right_step(whole, tmp_path, monkeypatch):
    """Stopped inside a fade-in: weights, slots, logged terms and scores, bit for bit."""
    at_step = callbacks.SaveState.at_step

    def failing(self, step, logs):
        at_step(self, step, logs)
        if step == 5:
            raise Interrupted
    monkeypatch.setattr(callbacks.SaveState, "at_step", failing)
    with pytest.raises(Interrupted):
        runs.train(tmp_path / "run", RECIPE, BINDINGS)
    monkeypatch.undo()
    folder, scores = whole
    assert runs.train(tmp_path / "run", RECIPE, BINDINGS) == scores
    runs.assert_same_bits(runs.state(tmp_path / "run"), runs.state(folder))
    logged = runs.logged(tmp_path / "run")
    assert logged == runs.logged(folder)
    shown = {tag: [logged["train", tag, step] for step in range(1, 13)] for tag in ("progressive_step", "alpha")}
    assert shown["progressive_step"] == [{0}] * 3 + [{1}] * 3 + [{2}] * 6
    thirds = [{0.0}, {float(np.float32(1 / 3))}, {float(np.float32(2 / 3))}]
    assert shown["alpha"] == [{1.0}] * 3 + thirds + thirds + [{1.0}] * 3


@pytest.mark.slow
@pytest.mark.parametrize("step", (3, 5))
def test_kill_9_at_a_growth_and_inside_a_fade_in(tmp_path, step, other_process):
    """A checkpoint after every second step, so that some is done again."""
    bindings = [*small(RECIPE, 12), "model.checkpoint_steps = 2"]
    other_process()("train", tmp_path / "whole", RECIPE, bindings)
    check_killed_run_goes_on(RECIPE, bindings, (step, step + 1), tmp_path / "whole", tmp_path / "killed")
