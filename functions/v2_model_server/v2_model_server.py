"""MLRun's serving graph with our front door as its router: `fn.add_model(name, model_path=...)`, then deploy it."""

from serving.mlrun_router import ClassifierModel, MlrunRouter

__all__ = ["ClassifierModel", "MlrunRouter"]
