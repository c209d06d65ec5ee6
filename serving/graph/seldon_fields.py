"""What becomes of each field of a SeldonDeployment here. docs/seldon.md shows this table."""

from typing import NamedTuple

SERVED, MAPPED, NOTED, REFUSED = "served", "mapped", "noted", "refused"


class Field(NamedTuple):
    """`fate` is SERVED (the model server does it), MAPPED (it goes into the Nuclio function), NOTED (it is accepted and
    does nothing here, which is said each time), or REFUSED; `about` says how, or why."""

    fate: str
    about: str


_SIDE = "another container of the pod would do it; a Nuclio function is one"
_KUBE = "Kubernetes would do it for a pod of this predictor; the function's own spec can say it"
_ALL = "all protocols are served side by side at all times"

# By path; below `graph`, children are as their parents.
FIELDS: dict[str, Field] = {
    "apiVersion": Field(SERVED, "machinelearning.seldon.io/v1, v1alpha3, v1alpha2, v1alpha1, or none"),
    "kind": Field(SERVED, "SeldonDeployment, or none"),
    "metadata.name": Field(SERVED, "the deployment's name, and the function's"),
    "metadata.namespace": Field(SERVED, "paths /seldon/<namespace>/<name>/... take any namespace"),
    "metadata.labels": Field(NOTED, "labels of the Kubernetes object"),
    "metadata.annotations": Field(SERVED, "as spec.annotations"),
    "metadata.creationTimestamp": Field(NOTED, "Kubernetes' own"),
    "metadata.generation": Field(NOTED, "Kubernetes' own"),
    "metadata.resourceVersion": Field(NOTED, "Kubernetes' own"),
    "metadata.uid": Field(NOTED, "Kubernetes' own"),
    "status": Field(NOTED, "Seldon's own"),
    "spec.name": Field(SERVED, "the deployment's name, where metadata.name is not there"),
    "spec.annotations": Field(
        SERVED, "seldon.io/rest-timeout: milliseconds of each node; leeway/sticky: header or label whose value decides "
        "which predictor answers; leeway/seed: seed of the draws; others are noted"
    ),
    "spec.predictors": Field(SERVED, "one is needed"),
    "spec.replicas": Field(MAPPED, "workers of the function's HTTP trigger, where a predictor does not say its own"),
    "spec.protocol": Field(NOTED, _ALL),
    "spec.transport": Field(SERVED, "rest; grpc is refused: a Nuclio function speaks HTTP"),
    "spec.serverType": Field(SERVED, "rpc; kafka is refused: give the function a Kafka trigger of its own"),
    "spec.oauth_key": Field(REFUSED, "a token of the function does it: SERVING_TOKENS"),
    "spec.oauth_secret": Field(REFUSED, "a token of the function does it: SERVING_TOKENS"),
    "spec.predictors[].name": Field(SERVED, "the arm's name in records, metrics and traffic"),
    "spec.predictors[].traffic": Field(SERVED, "its share in percent, drawn at random; of a shadow how much it sees"),
    "spec.predictors[].shadow": Field(SERVED, "it never answers"),
    "spec.predictors[].replicas": Field(MAPPED, "workers of the function's HTTP trigger: the most of all predictors'"),
    "spec.predictors[].annotations": Field(SERVED, "as spec.annotations, for this predictor"),
    "spec.predictors[].labels": Field(NOTED, "labels of the pod"),
    "spec.predictors[].explainer": Field(
        NOTED, "accepted; its status is `not served`, and its route answers 501: explainers are containers of their own"
    ),
    "spec.predictors[].engineResources": Field(NOTED, "there is no engine beside the models"),
    "spec.predictors[].svcOrchSpec": Field(NOTED, "there is no orchestrator beside the models; routing is always told"),
    "spec.predictors[].ssl": Field(REFUSED, "an API gateway in front of the function does it"),
    "spec.predictors[].graph.name": Field(SERVED, "the node's name; the predictor's where it is not there"),
    "spec.predictors[].graph.type": Field(SERVED, "MODEL, ROUTER, COMBINER, TRANSFORMER, OUTPUT_TRANSFORMER"),
    "spec.predictors[].graph.implementation": Field(
        SERVED, "SKLEARN_SERVER, XGBOOST_SERVER, LIGHTGBM_SERVER, MLFLOW_SERVER, ONNX_SERVER (what the file holds "
        "decides), SIMPLE_MODEL, SIMPLE_ROUTER, RANDOM_ABTEST, AVERAGE_COMBINER, VOTING_COMBINER, EPSILON_GREEDY, "
        "THOMPSON_SAMPLING; others are refused: they need a server that is not here"
    ),
    "spec.predictors[].graph.methods": Field(SERVED, "of nodes without a type"),
    "spec.predictors[].graph.parameters": Field(SERVED, "to the implementation, or to the class's constructor"),
    "spec.predictors[].graph.modelUri": Field(SERVED, "see SERVING_MODEL_<name>"),
    "spec.predictors[].graph.children": Field(SERVED, "asked side by side, or the one that is routed to"),
    "spec.predictors[].graph.endpoint": Field(NOTED, "nodes are called in the worker, and not over the network"),
    "spec.predictors[].graph.subtype": Field(NOTED, "of the oldest form; it says nothing more"),
    "spec.predictors[].graph.logger": Field(NOTED, "every request is recorded in the function's stream instead"),
    "spec.predictors[].graph.serviceAccountName": Field(NOTED, "credentials come from the environment"),
    "spec.predictors[].graph.envSecretRefName": Field(
        MAPPED, "the function's envFrom on Kubernetes; on the laptop the environment has to hold what the secret would"
    ),
    "spec.predictors[].graph.storageInitializerImage": Field(NOTED, "models are fetched by the worker"),
    "spec.predictors[].componentSpecs": Field(SERVED, "see below; in the oldest form componentSpec"),
    "spec.predictors[].componentSpecs[].metadata": Field(NOTED, _KUBE),
    "spec.predictors[].componentSpecs[].replicas": Field(MAPPED, "as the predictor's"),
    "spec.predictors[].componentSpecs[].hpaSpec.minReplicas": Field(MAPPED, "the function's minReplicas"),
    "spec.predictors[].componentSpecs[].hpaSpec.maxReplicas": Field(MAPPED, "the function's maxReplicas"),
    "spec.predictors[].componentSpecs[].hpaSpec.metrics": Field(
        MAPPED, "the function's targetCPU, from the utilization of cpu; others are noted"
    ),
    "spec.predictors[].componentSpecs[].hpaSpec.metricsv2": Field(NOTED, _KUBE),
    "spec.predictors[].componentSpecs[].kedaSpec": Field(NOTED, _KUBE),
    "spec.predictors[].componentSpecs[].pdbSpec": Field(NOTED, _KUBE),
    "spec.predictors[].componentSpecs[].spec.containers": Field(
        SERVED, "a container called as a node is a Python class, which its variable MODEL_NAME names (module.Class, or "
        "one name for both); without one it is refused, as images do not run here"
    ),
    "spec.predictors[].componentSpecs[].spec.containers[].name": Field(SERVED, "the node's name"),
    "spec.predictors[].componentSpecs[].spec.containers[].image": Field(NOTED, "the class is run, not its image"),
    "spec.predictors[].componentSpecs[].spec.containers[].env": Field(
        MAPPED, "the function's environment; two values for one name are refused"
    ),
    "spec.predictors[].componentSpecs[].spec.containers[].envFrom": Field(MAPPED, "the function's envFrom"),
    "spec.predictors[].componentSpecs[].spec.containers[].resources": Field(MAPPED, "the sum is the function's"),
    "spec.predictors[].componentSpecs[].spec.containers[].*": Field(NOTED, _KUBE),
    "spec.predictors[].componentSpecs[].spec.initContainers": Field(NOTED, _SIDE),
    "spec.predictors[].componentSpecs[].spec.*": Field(NOTED, _KUBE),
}  # fmt: skip
