def test_every_documented_path_is_there(start, model_files):
    server = start({"linear": model_files["linear"]})
    document = server.get("/docs/openapi.json").json
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        allowed = server.ask("OPTIONS", path).headers["Allow"].lower().split(", ")
        assert set(methods) <= set(allowed), path


def test_each_model_has_its_paths_and_tokens_are_told(start, model_files):
    server = start({name: model_files[name] for name in ("linear", "forest")}, tokens=("t",))
    document = server.get("/docs/openapi.json", {"x-api-key": "t"}).json
    assert {"/v2/models/linear/infer", "/seldon/default/forest/api/v1.0/predictions"} <= set(document["paths"])
    assert "/api/v1.0/predictions" not in document["paths"], "with two models it means nobody"
    assert document["security"] == [{"bearer": []}, {"key": []}]


def test_references_lead_somewhere(server):
    text = server.get("/docs/openapi.json").raw.decode()
    schemas = server.get("/docs/openapi.json").json["components"]["schemas"]
    found = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert found == set(schemas)
