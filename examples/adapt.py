"""A classifier trained on renders and adapted to photographs without labels (folder photos)."""

import blendmill

blendmill.render_set("s2rda13", "renders", images=2600, seed=1)
config = blendmill.ClassifyConfig.model_validate(
    {
        "data": {"source": [{"where": "renders"}], "target": {"where": "photos"}},
        "method": "mcc",
        "model": "resnet18",
        "iterations": 2000,
    }
)
blendmill.execute(blendmill.Classification(), config, "run")
print("see run/report.html")
