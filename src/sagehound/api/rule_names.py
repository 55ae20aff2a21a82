"""The built-in rules by name. `debug` and `profile` have them; the service does not import those, and tests compare."""

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

#: AWS's rules of the profiler.
PROFILER_DOCUMENTED = (
    "BatchSize",
    "CPUBottleneck",
    "Dataloader",
    "GPUMemoryIncrease",
    "IOBottleneck",
    "LoadBalancing",
    "LowGPUUtilization",
    "MaxInitializationTime",
    "OverallFrameworkMetrics",
    "OverallSystemUsage",
    "ProfilerReport",
    "StepOutlier",
)

#: And those beyond AWS's.
PROFILER_OWN = (
    "EvaluationShare",
    "FirstStep",
    "IdleCores",
    "LoaderBound",
    "MemoryFormat",
    "MemoryGrowth",
    "Precision",
    "SyncEachStep",
    "ThreadsOversubscribed",
    "TinyOperators",
)
