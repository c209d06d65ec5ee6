"""A SeldonDeployment of two models, whose answers are averaged."""


def averaged(name: str, one: str, two: str, shadow: str = "") -> str:
    """Its YAML; the models are files. Where there is a `shadow`, that sees what the others see."""
    three = f"{{name: three, implementation: SKLEARN_SERVER, modelUri: {shadow}}}"
    seen = f"\n  - {{name: next, shadow: true, graph: {three}}}" if shadow else ""
    return f"""
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata: {{name: {name}}}
spec:
  predictors:
  - name: main
    graph:
      name: mean
      implementation: AVERAGE_COMBINER
      children:
      - {{name: one, implementation: SKLEARN_SERVER, modelUri: {one}}}
      - {{name: two, implementation: SKLEARN_SERVER, modelUri: {two}}}{seen}
"""
