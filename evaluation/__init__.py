"""Scores of a representation function on ground-truth data. Rooms on floors; each imports from those below it only.

  runner | udr             several metrics in one call | a ranking of several runs
  keras_metrics            metrics of codes and factors as Keras metrics, for a loop of one's own
  evaluate                 disentanglement_lib's step: one metric of one run
  steps                    inputs of a metric, result folders, validation, postprocessing, aggregation
  metrics                  one file a metric, and `requirements`: what each needs
  sources                  what is evaluated: runs, saved models, TF-Hub modules, arrays, functions
  encoding                 from data and a model to codes and posteriors
  predictors               classifiers that metrics fit
  arithmetic | inception   mathematics of arrays | feature extractors
"""
