"""The built-in rules by name. `debug` has them; the service does not import it, and a test compares the two."""

from __future__ import annotations

#: AWS's, but for those of XGBoost.
DOCUMENTED = (
    "AllZero",
    "CheckInputImages",
    "ClassImbalance",
    "Confusion",
    "DeadRelu",
    "ExplodingTensor",
    "LossNotDecreasing",
    "NLPSequenceRatio",
    "Overfit",
    "Overtraining",
    "PoorWeightInitialization",
    "SaturatedActivation",
    "SimilarAcrossRuns",
    "StalledTrainingRule",
    "TensorVariance",
    "UnchangedTensor",
    "VanishingGradient",
    "WeightUpdateRatio",
)

#: Beyond AWS's.
OWN = (
    "DataLeak",
    "FrozenLayer",
    "GradientClipping",
    "Labels",
    "LearningRate",
    "LossNotFinite",
    "OptimizerParameters",
    "SoftmaxBeforeCrossEntropy",
    "TrainEvalMode",
)

#: They judge a model of another library.
XGBOOST = ("CreateXgboostReport", "FeatureImportanceOverweight", "TreeDepth")
