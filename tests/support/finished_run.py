"""A finished run of a tiny linear model, made without training, for what reads runs."""

import json

import keras
import numpy as np


def finished_run(folder, dataset, shape, latents=2, seed=0, modules=()):
    """Writes a run of a beta-VAE (beta = 4) with linear networks of random weights.

    Args:
      folder: its path; made if needed.
      dataset: name of the data set that it records.
      shape: of one image, (height, width, channels).
      latents: number of Gaussian units.
      seed: of the weights.
      modules: paths of the user's modules that the run imports.

    Returns:
      The folder.
    """
    from dislib_plus import methods

    keras.utils.set_random_seed(seed)
    image, code = keras.Input(shape), keras.Input((latents,))
    flat, pixels = keras.layers.Flatten()(image), int(np.prod(shape))
    encoder = keras.Model(image, [keras.layers.Dense(latents)(flat), keras.layers.Dense(latents)(flat)])
    decoder = keras.Model(code, keras.layers.Reshape(shape)(keras.layers.Dense(pixels)(code)))
    model = methods.BetaVAE(beta=4.0, latents=latents, encoder=encoder, decoder=decoder)
    model.build((None, *shape))
    for name in ("gin", "json"):
        (folder / "results" / name).mkdir(parents=True)
    model.save(folder / "model.keras")
    configuration = f"dataset.name = '{dataset}'\ndataset.data_dir = None\nvae.beta = 4.0\n"
    (folder / "results/gin/train.gin").write_text(configuration)
    (folder / "results/json/train_results.json").write_text('{"elbo": -3.0}')
    if modules:
        record = {"imports": [module.stem for module in modules],
                  "python_path": sorted({str(module.parent) for module in modules})}
        (folder / "run.json").write_text(json.dumps(record))
    return folder
