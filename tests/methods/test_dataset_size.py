"""The number of training images, which some estimators need, comes from the run's data set unless it is bound."""

import keras
import pytest

from dislib_plus.methods import AnchorVAE, BetaTCVAE, InfoVAE
from dislib_plus.training.train import train_with_gin

SMALL = ["import dislib_plus.methods", "dataset.name = 'toy_dsprites_small'", "model.training_steps = 1",
         "model.batch_size = 4", "model.random_seed = 0", "model.eval_steps = 1", "encoder.num_latent = 2",
         "encoder.encoder_fn = @fc_encoder", "decoder.decoder_fn = @fc_decoder",
         "fc_encoder.units = (4,)", "fc_decoder.units = (4,)",
         "vae_optimizer.optimizer_fn = @AdamOptimizer"]
MODELS = (["model.model = @beta_tc_vae()", "beta_tc_vae.beta = 2.", "beta_tc_vae.estimator = 'mss'"],
          ["model.model = @anchor_vae()", "anchor_vae.anchors = 1", "anchor_vae.form = 'mi'"],
          ["model.model = @info_vae()", "info_vae.divergence = 'kl'"])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model[0].split("@")[1])
@pytest.mark.parametrize("bound", (None, 500))
def test_from_the_run(model, bound, tmp_path):
    name = model[0].split("@")[1].removesuffix("()")
    extra = [] if bound is None else [f"{name}.dataset_size = {bound}"]
    train_with_gin(tmp_path / "run", gin_bindings=[*SMALL, *model, *extra])
    loaded = keras.models.load_model(tmp_path / "run" / "model.keras")
    assert loaded.dataset_size == (bound or 3 * 4 * 8 * 8 * 8)


@pytest.mark.parametrize("method, arguments", (
    (BetaTCVAE, {"beta": 2.0, "estimator": "mss"}), (AnchorVAE, {"anchors": 1, "form": "mi"}),
    (InfoVAE, {"divergence": "kl"})))
def test_without_a_run_it_must_be_given(method, arguments, tiny, images):
    with pytest.raises(ValueError, match="needs dataset_size, the number of training images"):
        tiny(method, **arguments).train_step(images)
