"""LitServe with the models of a folder: litserve_server.py FOLDER PORT BATCH. Runs in its own environment."""

import sys
from pathlib import Path

import joblib
import litserve
import numpy as np


class Models(litserve.LitAPI):
    def setup(self, device):
        self.models = {path.stem: joblib.load(path) for path in Path(sys.argv[1]).glob("*.joblib")}

    def decode_request(self, request):
        return request["model"], request["inputs"]

    def batch(self, inputs):
        return inputs

    def predict(self, asked):
        if isinstance(asked, tuple):
            return self.models[asked[0]].predict(np.array(asked[1])).tolist()
        found = [None] * len(asked)
        for name in {each[0] for each in asked}:
            mine = [i for i, each in enumerate(asked) if each[0] == name]
            rows = [np.array(asked[i][1]) for i in mine]
            said = self.models[name].predict(np.concatenate(rows))
            for i, part in zip(mine, np.split(said, np.cumsum([len(each) for each in rows])[:-1])):
                found[i] = part.tolist()
        return found

    def unbatch(self, output):
        return output

    def encode_response(self, output):
        return {"outputs": output}


if __name__ == "__main__":
    batch = int(sys.argv[3])
    api = Models(max_batch_size=batch, batch_timeout=0.002) if batch > 1 else Models()
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning")
