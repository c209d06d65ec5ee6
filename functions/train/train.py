"""Trains a classifier on the first rows of a table and logs it, with the profile that drift is found against."""

import pickle
import tempfile
from pathlib import Path

import mlrun
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from monitoring.known_answers import ROWS_FILE, known_answers
from monitoring.reference import profile_of

MODEL_FILE, PROFILE_FILE = "model.pkl", "leeway-profile.json"


def train(context, data, rows=8064, label="price_up", holdout=0.3333, max_iter=100, seed=0, key="model", db_key="elec"):
    """Fit on the first `rows` rows in time but for the last `holdout` of them, which measure the error.

    :param data:     table (path, URL or input; parquet or csv), one row per event in the order of time
    :param rows:     how many rows to learn from
    :param label:    column to predict
    :param holdout:  share of the rows, the last ones, that the model is not fitted on
    :param max_iter: boosting iterations
    :param seed:     random state of the model
    :param key:      key of the model artifact
    :param db_key:   key under which the project finds it: `project.get_artifact_uri(db_key, "model")`
    """
    table = (mlrun.get_dataitem(data) if isinstance(data, str) else data).as_df().head(rows)
    features = [name for name in table.columns if name != label]
    fitted = table.head(len(table) - round(len(table) * holdout))
    kept = table.iloc[len(fitted) :]
    parameters = {"max_iter": max_iter, "random_state": seed, "early_stopping": False}
    model = HistGradientBoostingClassifier(**parameters).fit(fitted[features].to_numpy(), fitted[label])
    asked = {
        "predict": lambda frame: model.predict(frame.to_numpy()),
        "predict_proba": lambda frame: model.predict_proba(frame.to_numpy()),
    }
    profile = profile_of(table, features=features, label=label, held_out=slice(len(fitted), None), **asked)
    context.log_results(metrics := _metrics(model, kept[features].to_numpy(), kept[label]))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, MODEL_FILE).write_bytes(pickle.dumps(model))
        Path(folder, PROFILE_FILE).write_bytes(profile.to_bytes())
        Path(folder, ROWS_FILE).write_bytes(known_answers(kept[features], **asked))
        context.log_model(
            key, db_key=db_key, model_dir=folder, model_file=MODEL_FILE, framework="sklearn",
            algorithm=type(model).__name__, metrics=metrics, parameters=parameters, training_set=table,
            label_column=label, extra_data={"profile": PROFILE_FILE, "rows": ROWS_FILE},
        )  # fmt: skip
    context.log_dataset("test_set", df=kept, format="parquet", index=False)


def _metrics(model, inputs, truth):
    probabilities = model.predict_proba(inputs)
    return {
        "accuracy": accuracy_score(truth, model.predict(inputs)),
        "roc_auc": roc_auc_score(truth, probabilities[:, 1]),
        "log_loss": log_loss(truth, probabilities),
    }
